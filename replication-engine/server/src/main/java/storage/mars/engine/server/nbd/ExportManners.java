// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.nbd;

/**
 * What clients are told about the exports of a server.
 *
 * @param listed whether NBD_OPT_LIST names them; otherwise it is refused
 * @param rotational whether they are said to be rotating disks
 */
public record ExportManners(boolean listed, boolean rotational) {}
