# Sums JUnit XML reports: one line for each test that failed or was skipped, then, alone on the
# last line, the totals. Fails when a test failed or none ran.

# What tests print is in CDATA and may look like anything: only what is outside counts, and the
# first line of what a test's outcome says of itself.
function outside_cdata(line,    kept, at, first) {
    kept = ""
    while (line != "") {
        if (in_cdata) {
            at = index(line, "]]>")
            if (at == 0) return kept
            line = substr(line, at + 3)
            in_cdata = 0
        } else {
            at = index(line, "<![CDATA[")
            if (at == 0) return kept line
            kept = kept substr(line, 1, at - 1)
            line = substr(line, at + 9)
            if ((substr(text, length(text) - 2000) kept) ~ /<(skipped|failure|error)( [^<]*)?> *$/) {
                first = line
                sub(/]]>.*/, "", first)
                gsub(/&/, "\\&amp;", first); gsub(/</, "\\&lt;", first)
                kept = kept first
            }
            in_cdata = 1
        }
    }
    return kept
}

function attribute(tag, name,    at, value) {
    at = index(tag, " " name "=\"")
    if (at == 0) return ""
    value = substr(tag, at + length(name) + 3)
    return unescaped(substr(value, 1, index(value, "\"") - 1))
}

function unescaped(value) {
    gsub(/&#10;|&#xa;|&#9;/, " ", value)
    gsub(/&lt;/, "<", value); gsub(/&gt;/, ">", value)
    gsub(/&quot;/, "\"", value); gsub(/&apos;/, "'", value)
    gsub(/&amp;/, "\\&", value)
    return value
}

function reason(tag,    said) {
    said = attribute(tag, "message")
    if (said == "") {
        said = unescaped(substr(tag, index(tag, ">") + 1))
        sub(/^[A-Za-z0-9_.$]+(Exception|Error): /, "", said)
        sub(/^Assumption failed: /, "", said)
        sub(/ +$/, "", said)
    }
    return said
}

function test_starts(tag) {
    test = attribute(tag, "classname") "." attribute(tag, "name")
    outcome = "passed"
    why = ""
}

function test_ends() {
    if (test == "") return
    count[outcome]++
    if (outcome != "passed") print toupper(outcome) " " test (why == "" ? "" : ": " why)
    test = ""
}

function element(tag) {
    if (tag ~ /^testcase[ >\/]/) {
        test_starts(tag)
        if (tag ~ /\/>[^>]*$/) test_ends()
    } else if (tag ~ /^\/testcase/) {
        test_ends()
    } else if (test != "" && tag ~ /^(failure|error)[ >\/]/) {
        outcome = "failed"
        why = reason(tag)
    } else if (test != "" && tag ~ /^skipped[ >\/]/) {
        outcome = "skipped"
        why = reason(tag)
    }
}

function report_ends(    parts, n, i) {
    n = split(text, parts, "<")
    for (i = 2; i <= n; i++) element(parts[i])
    # A report that breaks off inside a test tells of a test that did not pass.
    if (test != "") { outcome = "failed"; why = "its report breaks off"; test_ends() }
    text = ""
    in_cdata = 0
}

FNR == 1 { report_ends() }
{ text = text outside_cdata($0) " " }

END {
    report_ends()
    if (count["passed"] + count["failed"] == 0) print "No test ran."
    printf "%d passed, %d failed, %d skipped\n", count["passed"], count["failed"], count["skipped"]
    exit (count["failed"] > 0 || count["passed"] == 0)
}
