// SPDX-License-Identifier: Apache-2.0
package storage.mars.engine.replica;

/**
 * What gets further after a refusal, in one line: a command, or what somebody has to do. A text
 * that begins with {@code marsadm } is a command for the engine that was asked. One that says
 * nothing cannot be made.
 */
public record NextStep(String text) {

    public NextStep {
        text = Refusal.line(text);
        if (text.isEmpty()) {
            throw new IllegalArgumentException("a refusal without a next step");
        }
    }

    /** A verb and its operands, for the engine that was asked. */
    public static NextStep marsadm(String command) {
        return new NextStep("marsadm " + command);
    }

    /** A look at what holds it. */
    public static NextStep status(String resource) {
        return marsadm("status " + resource);
    }

    /** A command for another engine. */
    static NextStep on(String engine, String command) {
        return new NextStep("on " + engine + ": marsadm " + command);
    }

    /** What is to be done, or to be typed instead, in the imperative. */
    public static NextStep advice(String text) {
        return new NextStep(text);
    }

    @Override
    public String toString() {
        return text;
    }
}
