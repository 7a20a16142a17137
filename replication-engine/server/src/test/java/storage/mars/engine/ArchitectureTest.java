package storage.mars.engine;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The one-way rules between packages, and what core may ask of the world. */
class ArchitectureTest {

    private static final String ENGINE = "storage.mars.engine.";

    /** Each package of core with those of its siblings that it may use. */
    private static final Map<String, Set<String>> CORE =
            Map.of(
                    "port", Set.of(),
                    "log", Set.of("port"),
                    "volume", Set.of("port", "log"),
                    "replication", Set.of("port", "log", "volume"),
                    "export", Set.of("port", "log", "volume"),
                    "replica", Set.of("port", "log", "volume", "replication", "export"));

    private static final List<String> CORE_NAMES = CORE.keySet().stream().sorted().toList();

    private static final Set<String> WORLDLY_PACKAGES =
            Set.of(
                    "java.lang.foreign",
                    "java.net",
                    "java.nio.channels",
                    "java.nio.file",
                    "java.util.concurrent.locks",
                    "java.util.random");

    private static final Set<String> WORLDLY_TYPES =
            Set.of(
                    "java.io.Console",
                    "java.io.File",
                    "java.io.FileInputStream",
                    "java.io.FileOutputStream",
                    "java.io.FileReader",
                    "java.io.FileWriter",
                    "java.io.RandomAccessFile",
                    "java.lang.Process",
                    "java.lang.ProcessBuilder",
                    "java.lang.Runtime",
                    "java.lang.Thread",
                    "java.lang.ThreadLocal",
                    "java.security.SecureRandom",
                    "java.time.Clock",
                    "java.time.InstantSource",
                    "java.util.Random",
                    "java.util.SplittableRandom",
                    "java.util.Timer");

    /** Of java.util.concurrent, what neither starts nor blocks anything. */
    private static final Set<String> CALM_CONCURRENT_TYPES =
            Set.of("ConcurrentHashMap", "ConcurrentMap", "ConcurrentSkipListMap", "TimeUnit");

    private static final Set<String> WORLDLY_CALLS =
            Set.of(
                    "java.lang.Math.random",
                    "java.lang.Object.wait",
                    "java.lang.System.currentTimeMillis",
                    "java.lang.System.getenv",
                    "java.lang.System.identityHashCode",
                    "java.lang.System.nanoTime",
                    "java.time.Instant.now",
                    "java.time.LocalDate.now",
                    "java.time.LocalDateTime.now",
                    "java.time.OffsetDateTime.now",
                    "java.time.ZonedDateTime.now",
                    "java.util.Collections.shuffle",
                    "java.util.UUID.randomUUID",
                    "java.util.concurrent.TimeUnit.sleep");

    private static final DescribedPredicate<JavaClass> WORLDLY =
            describe(
                    "a file, socket, thread, clock or source of chance", ArchitectureTest::worldly);

    private static final DescribedPredicate<JavaAccess<?>> WORLDLY_CALL =
            describe(
                    "a reading of clock, chance, memory layout or environment",
                    access ->
                            WORLDLY_CALLS.contains(
                                    access.getTargetOwner().getName() + "." + access.getName()));

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("storage.mars.engine");

    @Test
    void coreUsesTheJdkAndTwoInterfacesOnly() {
        classes()
                .that()
                .resideInAnyPackage(packages(CORE_NAMES))
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        Stream.concat(
                                        Stream.of(packages(CORE_NAMES)),
                                        Stream.of("java..", "org.slf4j..", "org.jspecify.."))
                                .toArray(String[]::new))
                .check(CLASSES);
    }

    @ParameterizedTest
    @FieldSource("CORE_NAMES")
    void corePackageUsesOnlyThoseBelowIt(String name) {
        Set<String> allowed = CORE.getOrDefault(name, Set.of());
        List<String> forbidden =
                CORE_NAMES.stream()
                        .filter(other -> !other.equals(name) && !allowed.contains(other))
                        .toList();

        noClasses()
                .that()
                .resideInAPackage(ENGINE + name + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(packages(forbidden))
                .check(CLASSES);
    }

    @Test
    void coreMeetsTheWorldThroughPortsOnly() {
        noClasses()
                .that()
                .resideInAnyPackage(packages(CORE_NAMES))
                .should()
                .dependOnClassesThat(WORLDLY)
                .orShould()
                .accessTargetWhere(WORLDLY_CALL)
                .because("a simulation decides every time, order, fault and random number")
                .check(CLASSES);
    }

    @ParameterizedTest
    @ValueSource(strings = {"nbd", "peer", "control", "app"})
    void edgesOfTheServerMeetInAppOnly(String edge) {
        String own = ENGINE + "server." + edge + "..";

        noClasses()
                .that()
                .resideOutsideOfPackages(own, ENGINE + "server.app..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(own)
                .check(CLASSES);
    }

    @Test
    void systemCallsAreMadeByIoOnly() {
        noClasses()
                .that()
                .resideOutsideOfPackage(ENGINE + "server.io..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jnr..")
                .check(CLASSES);
    }

    @Test
    void packagesFormNoCycle() {
        slices().matching(ENGINE + "(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void everyPackageSaysWhatItIsForAndIsNullMarked() {
        DescribedPredicate<JavaClass> contract = resideInAPackage(ENGINE + "api..");

        assertThat(CLASSES.stream().filter(contract.negate()).map(JavaClass::getPackage))
                .filteredOn(held -> !held.isAnnotatedWith(NullMarked.class))
                .extracting(JavaPackage::getName)
                .isEmpty();
    }

    private static boolean worldly(JavaClass type) {
        String packageName = type.getPackageName();
        if (packageName.equals("java.util.concurrent")) {
            return !CALM_CONCURRENT_TYPES.contains(outermost(type).getSimpleName());
        }
        return WORLDLY_TYPES.contains(outermost(type).getName())
                || WORLDLY_PACKAGES.stream()
                        .anyMatch(banned ->
                                packageName.equals(banned) || packageName.startsWith(banned + "."));
    }

    private static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(ArchitectureTest::outermost).orElse(type);
    }

    private static String[] packages(Collection<String> names) {
        return names.stream().map(name -> ENGINE + name + "..").toArray(String[]::new);
    }
}
