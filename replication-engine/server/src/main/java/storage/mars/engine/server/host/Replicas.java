// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.server.host;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import storage.mars.engine.export.ExportRegistry;
import storage.mars.engine.port.PeerAcceptor;
import storage.mars.engine.port.PeerLink;
import storage.mars.engine.port.Ports;
import storage.mars.engine.port.Shard;
import storage.mars.engine.replica.Done;
import storage.mars.engine.replica.Refusal;
import storage.mars.engine.replica.ReplicaHost;
import storage.mars.engine.replica.ReplicaSettings;
import storage.mars.engine.replica.ReplicaStatus;
import storage.mars.engine.replica.Reply;
import storage.mars.engine.replication.PeerCodec;

/**
 * The hosts of all shards as one: a resource belongs to the shard that its name decides. Callable
 * from any thread; futures complete on the shard that answered, so whoever continues them says
 * where.
 */
public final class Replicas implements PeerAcceptor {

    private final List<Owner> owners;
    private final List<Consumer<String>> watchers = new CopyOnWriteArrayList<>();

    private record Owner(Shard shard, ReplicaHost host) {}

    /** Log memory is shared out evenly over the shards. */
    public Replicas(
            List<Ports> shards, ReplicaSettings settings, ExportRegistry exports, long logMemory) {
        long share = logMemory / shards.size();
        owners =
                shards.stream()
                        .map(ports ->
                                new Owner(
                                        ports.shard(),
                                        new ReplicaHost(ports, settings, exports, share)))
                        .toList();
    }

    private Owner owner(String name) {
        return owners.get(Math.floorMod(name.hashCode(), owners.size()));
    }

    /** Opens all that is on disk; completes when every replica has reached some state. */
    public CompletableFuture<?> openAll() {
        return onAll(owner -> {
            CompletableFuture<Done> opened = new CompletableFuture<>();
            owner.host().watch(this::changed);
            owner.host().openAll(name -> owner(name).equals(owner), replyTo(opened));
            return opened;
        });
    }

    /** Stops all replicas, each after what it has acknowledged is safe. */
    public CompletableFuture<?> close() {
        return onAll(owner -> {
            CompletableFuture<Done> closed = new CompletableFuture<>();
            owner.host().close(() -> closed.complete(Done.DONE));
            return closed;
        });
    }

    /**
     * Asks the host of {@code name}, which is told where to reply; a refusal fails the future with
     * {@link RefusedException}.
     */
    public <T> CompletableFuture<T> ask(String name, BiConsumer<ReplicaHost, Reply<T>> question) {
        Owner owner = owner(name);
        CompletableFuture<T> answer = new CompletableFuture<>();
        owner.shard()
                .execute(guarded(answer, () -> question.accept(owner.host(), replyTo(answer))));
        return answer;
    }

    /** What is known of one replica now; empty when there is none. */
    public CompletableFuture<Optional<ReplicaStatus>> status(String name) {
        Owner owner = owner(name);
        CompletableFuture<Optional<ReplicaStatus>> answer = new CompletableFuture<>();
        owner.shard()
                .execute(
                        guarded(
                                answer,
                                () ->
                                        answer.complete(
                                                Optional.ofNullable(owner.host().status(name)))));
        return answer;
    }

    /** What is known of all replicas, sorted by name. */
    public CompletableFuture<List<ReplicaStatus>> statuses() {
        return gather(host -> host.names().stream().map(host::status));
    }

    /** What is known of those of {@code names} that are here, sorted by name. */
    public CompletableFuture<List<ReplicaStatus>> statuses(Collection<String> names) {
        List<String> copy = List.copyOf(names);
        return gather(host -> copy.stream().map(host::status));
    }

    private CompletableFuture<List<ReplicaStatus>> gather(
            Function<ReplicaHost, Stream<@Nullable ReplicaStatus>> question) {
        List<ReplicaStatus> all = new ArrayList<>();
        return onAll(
                        owner -> {
                            List<ReplicaStatus> found = new ArrayList<>();
                            question.apply(owner.host())
                                    .forEach(status -> {
                                        if (status != null) {
                                            found.add(status);
                                        }
                                    });
                            synchronized (all) {
                                all.addAll(found);
                            }
                            return CompletableFuture.completedFuture(Done.DONE);
                        })
                .thenApply(done -> {
                    all.sort((a, b) -> a.name().compareTo(b.name()));
                    return List.copyOf(all);
                });
    }

    /** Names that can be asked for but are not here are refused with this. */
    public Refusal notFound(String name) {
        return owners.getFirst().host().notFound(name);
    }

    /** Bytes of log memory in use and in all. */
    public CompletableFuture<LogMemoryUse> logMemory() {
        long[] sums = new long[2];
        return onAll(
                        owner -> {
                            synchronized (sums) {
                                sums[0] += owner.host().logMemoryTaken();
                                sums[1] += owner.host().logMemoryLimit();
                            }
                            return CompletableFuture.completedFuture(Done.DONE);
                        })
                .thenApply(done -> new LogMemoryUse(sums[0], sums[1]));
    }

    /** Of all shards together. */
    public record LogMemoryUse(long takenBytes, long limitBytes) {}

    /** Completes when every shard has got to an empty task. */
    public CompletableFuture<?> answer() {
        return onAll(owner -> CompletableFuture.completedFuture(Done.DONE));
    }

    /**
     * {@code watcher} is told the name of every replica that changes, comes or goes, on its shard,
     * until the returned action is run.
     */
    public Runnable watch(Consumer<String> watcher) {
        watchers.add(watcher);
        return () -> watchers.remove(watcher);
    }

    private void changed(String name) {
        watchers.forEach(watcher -> watcher.accept(name));
    }

    private CompletableFuture<?> onAll(Function<Owner, CompletableFuture<?>> task) {
        return CompletableFuture.allOf(
                owners.stream().map(owner -> on(owner, task)).toArray(CompletableFuture<?>[]::new));
    }

    private static CompletableFuture<?> on(
            Owner owner, Function<Owner, CompletableFuture<?>> task) {
        CompletableFuture<Done> done = new CompletableFuture<>();
        owner.shard()
                .execute(
                        guarded(
                                done,
                                () -> {
                                    var _ =
                                            task.apply(owner)
                                                    .whenComplete((result, failure) ->
                                                            finish(done, failure));
                                }));
        return done;
    }

    private static void finish(CompletableFuture<Done> done, @Nullable Throwable failure) {
        if (failure == null) {
            done.complete(Done.DONE);
        } else {
            done.completeExceptionally(failure);
        }
    }

    private static Runnable guarded(CompletableFuture<?> answer, Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        };
    }

    private static <T> Reply<T> replyTo(CompletableFuture<T> answer) {
        return new Reply<>() {

            @Override
            public void done(T result) {
                answer.complete(result);
            }

            @Override
            public void refused(Refusal refusal) {
                answer.completeExceptionally(new RefusedException(refusal));
            }
        };
    }

    // Peers

    @Override
    public @Nullable Shard shardFor(ByteBuffer firstMessage) {
        String resource = PeerCodec.resourceOf(firstMessage);
        return resource == null ? null : owner(resource).shard();
    }

    /** The first message, which comes next, says again whose link it is. */
    @Override
    public PeerLink.Receiver accepted(PeerLink link) {
        return new FirstMessage(link, this);
    }

    PeerLink.@Nullable Receiver receiver(ByteBuffer firstMessage, PeerLink link) {
        String resource = PeerCodec.resourceOf(firstMessage);
        return resource == null ? null : owner(resource).host().accept(resource, link);
    }
}
