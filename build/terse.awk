# Of Maven's output: modules, test classes, warnings and errors with what follows them.
function show(line) { print line; fflush() }

/^\[INFO\] Building .*\[[0-9]+\/[0-9]+\]/ {
    sub(/^\[INFO\] Building /, ""); sub(/ +\[/, " [")
    show("== " $0); follow = 0; next
}
/Tests run:.*Time elapsed:.* -- in / {
    sub(/^\[[A-Z]+\] /, "")
    show("   " $0); follow = /FAILURE|ERROR/; next
}
/^\[INFO\] BUILD (SUCCESS|FAILURE)/ || /^\[INFO\] Total time/ { sub(/^\[INFO\] /, ""); show($0); next }
/^\[INFO\]/ { follow = 0; next }
# Said of Maven 3.8 whatever the project declares.
/^\[WARNING\] The Maven extensions for the Quarkus Maven plugin/ { follow = 0; next }
/^\[WARNING\] (Tests run|Overwriting)/ { follow = 0; next }
/^\[ERROR\] *$/ { next }
/^\[(WARNING|ERROR)\]/ { show($0); follow = 1; next }
follow { show($0) }
