// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.log.LogFormat;
import storage.mars.engine.log.ReplicaMetadata.VolumeShape;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.JoinRequest;
import storage.mars.engine.replication.PeerMessage.Refused;

/** Whatever an engine is asked that it does not do: it says what, why, who holds it, what next. */
class RefusalsTest {

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final List<VolumeShape> VOLUMES = List.of(new VolumeShape(0, "v", 1 << 20));

    /** The last refusal of what is asked, if any. */
    private static final class Asked<T> implements Reply<T> {

        @Nullable Refusal refusal;

        @Override
        public void done(T result) {}

        @Override
        public void refused(Refusal why) {
            refusal = why;
        }
    }

    /** Provokes one refusal. */
    interface Story {

        Refusal run();
    }

    private static <T> Refusal refusal(MembersRig rig, Consumer<Reply<T>> question) {
        Asked<T> asked = new Asked<>();
        question.accept(asked);
        rig.fake.run();
        if (asked.refusal == null) {
            throw new AssertionError("not refused");
        }
        return asked.refusal;
    }

    private static Story ofPrimary(Question question) {
        return () -> {
            MembersRig rig = MembersRig.primary();
            return RefusalsTest.<Done>refusal(rig, reply -> question.ask(rig, reply));
        };
    }

    private static Story ofSecondary(Question question) {
        return () -> {
            MembersRig rig = MembersRig.secondary().consistent();
            return RefusalsTest.<Done>refusal(rig, reply -> question.ask(rig, reply));
        };
    }

    /** A question for an engine. */
    private interface Question {

        void ask(MembersRig rig, Reply<Done> reply);
    }

    private static Story creating(String name, List<VolumeShape> volumes, long budget) {
        return ofPrimary((rig, reply) -> rig.host.create(name, volumes, budget, reply));
    }

    private static List<VolumeShape> volume(long bytes) {
        return List.of(new VolumeShape(0, "v", bytes));
    }

    private static Story creationFails(IoFailure.Kind kind) {
        return ofPrimary((rig, reply) -> {
            rig.fake.failNext(FakePorts.every(FakePorts.Kind.CREATE), kind);
            rig.host.create("s", VOLUMES, 0, reply);
        });
    }

    static Stream<Arguments> badInput() {
        return Stream.of(
                arguments("Bad_Name", VOLUMES, 0L, "for example"),
                arguments("s", List.of(), 0L, "--volume NAME:SIZE"),
                arguments(
                        "s",
                        List.of(new VolumeShape(0, "v", 4096), new VolumeShape(1, "v", 4096)),
                        0L,
                        "a name of its own"),
                arguments("s", volume(5000), 0L, "--volume v:8192"),
                arguments("s", volume(-1), 0L, "--volume v:4096"),
                arguments("s", volume(Long.MAX_VALUE), 0L, "--volume v:72057594037927936"),
                arguments("s", VOLUMES, 1L, "--log-budget 6291456"));
    }

    @ParameterizedTest(name = "{0} {1} {2}")
    @MethodSource("badInput")
    void badInputIsToldWhatToTypeInstead(
            String name, List<VolumeShape> volumes, long budget, String instead) {
        Refusal refusal = creating(name, volumes, budget).run();

        assertThat(refusal.kind()).isEqualTo(Refusal.Kind.INVALID);
        assertThat(refusal.message()).contains(name);
        assertThat(refusal.next().text()).contains(instead);
    }

    static Stream<Arguments> stories() {
        return Stream.of(
                story(
                        "AlreadyExists",
                        "v:1048576",
                        "marsadm status r",
                        creating("r", volume(8192), 0)),
                story(
                        "Busy",
                        "right now",
                        "marsadm status s",
                        ofPrimary((rig, reply) -> {
                            rig.host.create("s", VOLUMES, 0, new MembersRig.MustBeDone());
                            rig.host.create("s", VOLUMES, 0, reply);
                        })),
                story(
                        "StorageFailed",
                        "",
                        "check the storage of this engine, then repeat it",
                        creationFails(IoFailure.Kind.IO_ERROR)),
                story(
                        "NoSpace",
                        "",
                        "free space in the data directory, then repeat it",
                        creationFails(IoFailure.Kind.NO_SPACE)),
                story(
                        "AlreadyExists",
                        "is its primary",
                        "marsadm status r",
                        ofPrimary((rig, reply) -> rig.host.join("r", "b:1", reply))),
                story(
                        "InvalidArgument",
                        "letters a-z",
                        "choose such a name, for example shop-1",
                        ofPrimary((rig, reply) -> rig.host.join("Bad_Name", "b:1", reply))),
                story(
                        "JoinRefused",
                        "engine at b:1: it is not reached: connection refused",
                        "marsadm join-resource s --from HOST:PORT, with the --peer address of its"
                                + " primary",
                        ofPrimary((rig, reply) -> rig.host.join("s", "b:1", reply))),
                story(
                        "JoinRefused",
                        "engine at b:1: s is not primary there, its primary is c",
                        "marsadm join-resource s --from c:1",
                        joinRefused(
                                RefusedText.of(
                                        "s is not primary there, its primary is c",
                                        NextStep.marsadm("join-resource s --from c:1")))),
                story(
                        "JoinRefused",
                        "engine at b:1: no",
                        "marsadm join-resource s --from HOST:PORT, with the --peer address of its"
                                + " primary",
                        joinRefused("no")),
                story(
                        "Busy",
                        "being joined right now",
                        "marsadm status s",
                        ofPrimary((rig, reply) -> {
                            rig.new Member(2, "b").listen();
                            rig.host.join("s", "b:1", new MembersRig.MustBeDone());
                            rig.host.join("s", "b:1", reply);
                        })),
                story(
                        "IsPrimary",
                        "this engine is its primary",
                        "marsadm secondary r",
                        ofPrimary((rig, reply) -> rig.host.leave("r", "", false, whether(reply)))),
                story(
                        "MemberUnreachable",
                        "no primary is reached",
                        "look at marsadm status r first; with --force this copy is deleted",
                        ofSecondary((rig, reply) -> {
                            rig.a.hangUp();
                            rig.host.leave("r", "", false, whether(reply));
                        })),
                story(
                        "NotPrimary",
                        "only its primary can do that: a",
                        "on a: marsadm leave-resource r --member c",
                        ofSecondary(
                                (rig, reply) -> rig.host.leave("r", "c", false, whether(reply)))),
                story(
                        "MembersRemain",
                        "b still hold it",
                        "marsadm leave-resource r --member b",
                        ofPrimary((rig, reply) -> {
                            rig.new Member(2, "b").join();
                            rig.host.delete("r", whether(reply));
                        })),
                story(
                        "MembersRemain",
                        "a, c still hold it",
                        "marsadm leave-resource r",
                        ofSecondary((rig, reply) -> rig.host.delete("r", whether(reply)))),
                story(
                        "ExportsOpen",
                        "r/v by nbd-1",
                        "disconnect them, then marsadm delete-resource r",
                        ofPrimary((rig, reply) -> {
                            rig.attach("nbd-1");
                            rig.host.delete("r", whether(reply));
                        })),
                story(
                        "ExportsOpen",
                        "r/v by reader-1",
                        "disconnect them, then marsadm delete-resource r",
                        ofPrimary((rig, reply) -> {
                            rig.host.demote("r", false, null, new MembersRig.MustBeDone());
                            rig.fake.run();
                            rig.attach("reader-1");
                            rig.host.delete("r", whether(reply));
                        })),
                story(
                        "ExportsOpen",
                        "r/v by nbd-1",
                        "marsadm secondary r --close-exports",
                        ofPrimary((rig, reply) -> {
                            rig.attach("nbd-1");
                            rig.host.demote("r", false, null, reply);
                        })),
                story(
                        "StaleTerm",
                        "term 1 is in force, not 7",
                        "marsadm status r",
                        ofPrimary((rig, reply) -> rig.host.demote("r", false, 7L, reply))),
                story(
                        "Busy",
                        "it is HandingOver: the role goes to whoever asks for it",
                        "marsadm status r",
                        ofPrimary((rig, reply) -> {
                            rig.host.demote("r", false, null, new MembersRig.MustBeDone());
                            rig.host.demote("r", false, null, reply);
                        })),
                story(
                        "CalledOff",
                        "the role is kept by a",
                        "marsadm secondary r",
                        ofPrimary((rig, reply) -> {
                            rig.fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "log"));
                            rig.host.demote("r", false, null, reply);
                            rig.host.promote("r", false, MINUTE, new MembersRig.Answer());
                            rig.fake.holdNothing();
                        })),
                story(
                        "Overtaken",
                        "",
                        "marsadm status r",
                        ofPrimary((rig, reply) -> {
                            rig.fake.failNext(
                                    FakePorts.every(FakePorts.Kind.LOG_WRITE, "log"),
                                    IoFailure.Kind.IO_ERROR);
                            rig.host.demote("r", false, null, reply);
                        })),
                story(
                        "Inconsistent",
                        "not yet a whole copy",
                        "marsadm wait r --for consistent",
                        () -> {
                            MembersRig rig = MembersRig.secondary();
                            return RefusalsTest.<Done>refusal(
                                    rig, reply -> rig.host.promote("r", false, MINUTE, reply));
                        }),
                story(
                        "Inconsistent",
                        "not yet a whole copy",
                        "marsadm wait r --for consistent",
                        () -> {
                            MembersRig rig = MembersRig.secondary();
                            return RefusalsTest.<Done>refusal(
                                    rig, reply -> rig.host.pauseApply("r", true, reply));
                        }),
                story(
                        "NotSecondary",
                        "only a secondary",
                        "marsadm status r",
                        ofPrimary((rig, reply) -> rig.host.pauseApply("r", true, reply))),
                story(
                        "MemberUnreachable",
                        "its primary a at a:1 is not reached",
                        "marsadm primary r --force",
                        ofSecondary((rig, reply) -> {
                            rig.a.hangUp();
                            rig.host.promote("r", false, MINUTE, reply);
                        })),
                story(
                        "ShippingPaused",
                        "shipping to this replica is paused",
                        "marsadm resume-shipping r",
                        ofSecondary((rig, reply) -> {
                            rig.host.pauseShipping("r", true, new MembersRig.MustBeDone());
                            rig.fake.run();
                            rig.host.promote("r", false, MINUTE, reply);
                        })),
                story(
                        "HandoverRefused",
                        "its primary a refuses: its export r/v by nbd-1 is open",
                        "marsadm primary r --close-exports",
                        handoverRefused(
                                RefusedText.of(
                                        "its export r/v by nbd-1 is open",
                                        NextStep.marsadm("primary r --close-exports")))),
                story(
                        "HandoverRefused",
                        "its primary a refuses: no",
                        "marsadm status r",
                        handoverRefused("no")),
                story(
                        "Busy",
                        "it is Promoting",
                        "marsadm status r",
                        ofSecondary((rig, reply) -> {
                            rig.host.promote("r", false, MINUTE, new MembersRig.Answer());
                            rig.host.promote("r", false, MINUTE, reply);
                        })),
                story(
                        "Expired",
                        "a is Serving there and has not given the role",
                        "marsadm status r",
                        ofSecondary((rig, reply) -> {
                            rig.host.promote("r", false, Duration.ofMillis(1), reply);
                            rig.fake.advance(TimeUnit.SECONDS.toNanos(1));
                        })),
                story(
                        "IsPrimary",
                        "it is primary here in term 1",
                        "marsadm status r",
                        ofPrimary((rig, reply) -> rig.host.promoteByForce("r", 9L, null, reply))),
                story(
                        "TermRequired",
                        "no term was named: term 1 is in force; would be lost: ",
                        "marsadm primary r --force --supersedes-term 1",
                        ofSecondary(
                                (rig, reply) -> rig.host.promoteByForce("r", null, null, reply))),
                story(
                        "StaleTerm",
                        "term 7 is not the newest: term 1 is in force",
                        "marsadm primary r --force --supersedes-term 1",
                        ofSecondary((rig, reply) -> rig.host.promoteByForce("r", 7L, null, reply))),
                story(
                        "LossTooLarge",
                        "allowed are 0",
                        "marsadm status r",
                        ofSecondary((rig, reply) -> {
                            rig.a.hangUp();
                            rig.host.promoteByForce("r", 1L, 0L, reply);
                        })),
                story(
                        "NotFound",
                        "engine a has no replica of it",
                        "marsadm status",
                        ofPrimary((rig, reply) -> rig.host.demote("nix", false, null, reply))));
    }

    private static MembersRig.Answer forceAfterLoss(MembersRig rig, @Nullable Long maxLossBytes) {
        MembersRig.Answer answer = new MembersRig.Answer();
        rig.host.promoteByForce("r", 1L, maxLossBytes, answer);
        rig.fake.run();
        return answer;
    }

    @Test
    void aBoundOfTheLossHoldsAfterADurableLossToo() {
        long lost = 3L * LogFormat.BLOCK;
        MembersRig rig = WritershipTest.restartedBeside(lost, 0);

        Refusal refusal = Objects.requireNonNull(forceAfterLoss(rig, lost - 1).refusal);

        assertThat(rig.status().state()).isEqualTo("DurableLoss");
        assertThat(refusal.code()).isEqualTo("LossTooLarge");
        assertThat(refusal.reason()).contains("exactly " + lost + " bytes", "b has received");
        assertThat(forceAfterLoss(rig, lost).done).isTrue();
    }

    @Test
    void afterADurableLossAMemberThatWasNotHeardMayHoldMore() {
        MembersRig rig = WritershipTest.restartedBeside(LogFormat.BLOCK, 0, "d");

        Refusal refusal = Objects.requireNonNull(forceAfterLoss(rig, 1L << 30).refusal);

        assertThat(refusal.reason()).contains("at least " + LogFormat.BLOCK + " bytes");
    }

    private static Arguments story(String code, String why, String next, Story story) {
        return arguments(code, why, next, story);
    }

    private static Reply<Boolean> whether(Reply<Done> reply) {
        return new Reply<>() {

            @Override
            public void done(Boolean result) {
                reply.done(Done.DONE);
            }

            @Override
            public void refused(Refusal refusal) {
                reply.refused(refusal);
            }
        };
    }

    private static Story joinRefused(String text) {
        return ofPrimary((rig, reply) -> {
            MembersRig.Member b = rig.new Member(2, "b");
            b.listen();
            rig.host.join("s", "b:1", reply);
            rig.fake.run();
            b.say(new Refused(text));
        });
    }

    private static Story handoverRefused(String text) {
        return ofSecondary((rig, reply) -> {
            rig.host.promote("r", false, MINUTE, reply);
            rig.a.say(new Refused(text));
        });
    }

    @ParameterizedTest(name = "{0}: {1}; next: {2}")
    @MethodSource("stories")
    void aRefusalSaysWhatWhyAndWhatNext(String code, String why, String next, Story story) {
        Refusal refusal = story.run();

        assertThat(refusal.code()).isEqualTo(code);
        assertThat(refusal.message()).containsPattern("\\b(r|s|nix|Bad_Name)\\b");
        assertThat(refusal.reason()).contains(why).isNotBlank();
        assertThat(refusal.next().text()).isEqualTo(next);
        assertThat(refusal.toString()).hasLineCount(1).endsWith("; next: " + next);
    }

    @Test
    void whoAsksForTheRoleIsToldByTheOneThatHoldsItWhatNext() {
        MembersRig rig = MembersRig.primary();
        MembersRig.Member b = rig.new Member(2, "b");
        JoinAccepted as = b.join();

        b.say(new HandoverRequest(9, false));
        assertThat(told(b).next()).isEqualTo(NextStep.status("r"));
        b.say(new HandoverRequest(as.highestTerm(), false));
        assertThat(told(b).next()).isEqualTo(NextStep.status("r"));
        rig.host.pauseShipping("r", true, new MembersRig.MustBeDone());
        rig.fake.run();
        b.say(new HandoverRequest(as.highestTerm(), false));
        assertThat(told(b).next()).isEqualTo(NextStep.on("a", "resume-shipping r"));
    }

    @Test
    void whoAsksForAPlaceElsewhereIsToldWhereThePrimaryIs() {
        MembersRig rig = MembersRig.secondary().consistent();
        MembersRig.Member d = rig.new Member(4, "d");
        d.dial();

        d.say(new JoinRequest("r", d.id, d.name, "d:1"));

        assertThat(told(d).reason()).isEqualTo("r is not primary there, its primary is a");
        assertThat(told(d).next()).isEqualTo(NextStep.marsadm("join-resource r --from a:1"));
    }

    @Test
    void whoHasTheNameOfAMemberIsToldToTakeAnother() {
        MembersRig rig = MembersRig.primary();
        MembersRig.Member b = rig.new Member(2, "a");
        b.dial();

        b.say(new JoinRequest("r", b.id, b.name, "a:1"));

        assertThat(told(b).next())
                .isEqualTo(NextStep.advice("start this engine with another --name"));
    }

    private static RefusedText told(MembersRig.Member member) {
        RefusedText told = RefusedText.parse(member.last(Refused.class).reason());
        assertThat(told.next()).as("%s", told).isNotNull();
        return told;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\n"})
    void aRefusalWithoutOneOfItsPartsCannotBeMade(String nothing) {
        NextStep next = NextStep.status("r");

        assertThatThrownBy(() -> NextStep.advice(nothing))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Refusal.invalid(nothing, "why", next))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Refusal.invalid("what", nothing, next))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatAnotherEngineWroteInSeveralLinesBecomesOne() {
        RefusedText text = RefusedText.parse("busy\n there; next: \r\n look ");

        assertThat(text.reason()).isEqualTo("busy there");
        assertThat(text.next()).isEqualTo(NextStep.advice("look"));
        assertThat(RefusedText.parse("busy; next: ").next()).isNull();
    }
}
