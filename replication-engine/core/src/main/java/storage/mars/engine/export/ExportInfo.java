// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.export;

/**
 * What is constant for one attachment: name ("RESOURCE/VOLUME"), size in bytes, whether writes are
 * refused, and the incarnation, which changes whenever acknowledged data may have gone back.
 */
public record ExportInfo(String name, long sizeBytes, boolean readOnly, long incarnation) {}
