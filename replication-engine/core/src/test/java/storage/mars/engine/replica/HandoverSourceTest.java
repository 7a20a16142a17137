// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import storage.mars.engine.fake.FakePorts;
import storage.mars.engine.port.IoFailure;
import storage.mars.engine.replication.PeerMessage.Granted;
import storage.mars.engine.replication.PeerMessage.HandoverRequest;
import storage.mars.engine.replication.PeerMessage.Hello;
import storage.mars.engine.replication.PeerMessage.JoinAccepted;
import storage.mars.engine.replication.PeerMessage.Pull;
import storage.mars.engine.replication.PeerMessage.Refused;

class HandoverSourceTest {

    private static final long TARGET = 2;
    private static final long OTHER = 3;

    private final MembersRig rig = MembersRig.primary();
    private final FakePorts fake = rig.fake;
    private final ReplicaHost host = rig.host;
    private final MembersRig.Member b = rig.new Member(TARGET, "b");
    private final MembersRig.Member c = rig.new Member(OTHER, "c");

    private ReplicaStatus status() {
        return rig.status();
    }

    private long durable() {
        return rig.durable();
    }

    @Test
    void aTargetWhoseHelloShowsTheEndHasTheRoleAtTheNextTick() {
        JoinAccepted accepted = b.join();
        b.say(new Pull(accepted.start(), accepted.link(), accepted.start() + (1 << 20)));
        b.say(new HandoverRequest(accepted.highestTerm(), false));
        assertThat(status().state()).isEqualTo("HandingOver");
        b.say(b.hello(accepted, durable()));

        fake.advance(TimeUnit.SECONDS.toNanos(1));
        b.say(b.hello(accepted, durable()));

        assertThat(status().state()).isEqualTo("Secondary");
        assertThat(b.last(Granted.class))
                .isEqualTo(new Granted(accepted.highestTerm() + 1, durable()));
    }

    @Test
    void aTargetThatBeginsItsCopyAnewHasNoRole() {
        JoinAccepted accepted = b.join();
        b.say(new Pull(accepted.start(), accepted.link(), accepted.start() + (1 << 20)));
        b.say(new HandoverRequest(accepted.highestTerm(), false));
        b.say(b.inconsistent(b.hello(accepted, durable())));

        fake.advance(TimeUnit.SECONDS.toNanos(1));

        assertThat(status().state()).isEqualTo("HandingOver");
        assertThat(b.all(Granted.class)).isEmpty();
        b.say(b.hello(accepted, durable()));
        fake.advance(TimeUnit.SECONDS.toNanos(1));
        assertThat(b.all(Granted.class)).isNotEmpty();
    }

    @Test
    void aRoleThatWasLaidDownGoesToOneOfTwoThatAskAtTheSameMoment() {
        long term = laidDownBesideTwo();
        fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"));
        b.say(new HandoverRequest(term, false));
        c.say(new HandoverRequest(term, false));
        fake.holdNothing();

        assertThat(b.all(Granted.class)).containsOnly(new Granted(term + 1, durable()));
        assertThat(c.all(Granted.class)).isEmpty();
        assertThat(c.last(Refused.class).reason()).contains("went to another");
    }

    @Test
    void aRoleThatIsBeingGrantedIsNotTakenBackBesides() {
        long term = laidDownBesideTwo();
        MembersRig.Answer answer = new MembersRig.Answer();
        fake.hold(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"));
        b.say(new HandoverRequest(term, false));
        host.promote("r", false, Duration.ofMinutes(1), answer);
        fake.run();
        fake.holdNothing();

        assertThat(b.all(Granted.class)).isNotEmpty();
        assertThat(status().state()).isEqualTo("Secondary");
        assertThat(answer.refusal).isNotNull();
    }

    @Test
    void whoWasGrantedTheRoleMayFetchWhatItHasLostOfTheLog() {
        long term = laidDownBesideTwo();
        b.say(new HandoverRequest(term, false));
        assertThat(b.all(Granted.class)).isNotEmpty();

        fake.advance(TimeUnit.SECONDS.toNanos(1));

        assertThat(b.last(Hello.class).openTerm()).isEqualTo(term + 1);
        assertThat(c.last(Hello.class).openTerm()).isZero();
    }

    @Test
    void aRoleThatCouldNotBeLaidDownIsNotSaidToBe() {
        fake.failNext(FakePorts.every(FakePorts.Kind.LOG_WRITE, "meta"), IoFailure.Kind.IO_ERROR);
        MembersRig.Answer answer = new MembersRig.Answer();
        host.demote("r", false, null, answer);
        fake.run();

        assertThat(status().state()).isEqualTo("Failed");
        assertThat(answer.done).isFalse();
        assertThat(answer.refusal).isNotNull();
    }

    /** The term in force then. */
    private long laidDownBesideTwo() {
        b.join();
        JoinAccepted accepted = c.join();
        host.demote("r", false, null, new MembersRig.MustBeDone());
        fake.run();
        b.say(b.hello(accepted, durable()));
        c.say(c.hello(accepted, durable()));
        assertThat(status().state()).isEqualTo("Secondary");
        return accepted.highestTerm();
    }
}
