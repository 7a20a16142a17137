// SPDX-License-Identifier: Apache-2.0
/** What the control API needs beside its generated messages. */
package storage.mars.engine.api;
