// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SortedMap;
import java.util.TreeMap;

/** A directory and everything below it: names, kinds, times of change, sizes and content. */
public final class TreeHash {
    private TreeHash() {}

    /** Path to description; equal maps mean that nothing was changed. */
    public static SortedMap<String, String> of(Path root) throws IOException {
        var found = new TreeMap<String, String>();
        try (var paths = Files.walk(root)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                found.put(root.relativize(path).toString(), describe(path));
            }
        }
        return found;
    }

    private static String describe(Path path) throws IOException {
        if (Files.isSymbolicLink(path)) {
            return "link to " + Files.readSymbolicLink(path);
        }
        if (Files.isDirectory(path)) {
            return "directory of " + Files.getLastModifiedTime(path);
        }
        if (!Files.isRegularFile(path)) {
            return "special";
        }
        return Files.size(path)
                + " bytes of "
                + Files.getLastModifiedTime(path)
                + " "
                + digest(path);
    }

    private static String digest(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            var buffer = new byte[1 << 16];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
