// SPDX-License-Identifier: Apache-2.0
package storage.mars.e2e.harness;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** bin/marsadm, aimed at one engine. */
public record Marsadm(String engine) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofMinutes(2);

    /** Runs it and leaves the judgement to the caller. */
    public Command.Result run(Object... words) {
        var all = new ArrayList<String>();
        all.add(Tools.projectRoot().resolve("bin/marsadm").toString());
        all.addAll(List.of("--engine", engine));
        for (Object word : words) {
            all.add(word.toString());
        }
        return Command.of(all.toArray()).within(LIMIT).run();
    }

    public void createResource(String resource, String... volumes) {
        var words = new ArrayList<Object>(List.of("create-resource", resource));
        for (String volume : volumes) {
            words.add("--volume");
            words.add(volume);
        }
        run(words.toArray()).succeeded();
    }

    public void joinResource(String resource, String from) {
        run("join-resource", resource, "--from", from).succeeded();
    }

    public void waitFor(String resource, String goal) {
        run("wait", resource, "--for", goal, "--timeout", "60s").succeeded();
    }

    public void promote(String resource) {
        run("primary", resource).succeeded();
    }

    /** Forced promotion; returns what it printed. */
    public String forcePrimary(String resource, long supersededTerm) {
        return run("primary", resource, "--force", "--supersedes-term", supersededTerm)
                .succeeded()
                .out();
    }

    public ResourceStatus status(String resource) {
        String out = run("status", resource, "-o", "json").succeeded().out();
        try {
            JsonNode node = JSON.readTree(out);
            return new ResourceStatus(node.isArray() ? node.get(0) : node);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + out, e);
        }
    }
}
