import Foundation
import Glibc
import Testing

/// What plugins do while they are loaded is found out in a child process that cannot do harm.
@Suite("Integration: plugin scan")
struct PluginScanTests {
    private let workspace: Workspace

    init() throws {
        workspace = try Workspace()
        try workspace.write("in.jsonl", "{}\n")
        try workspace.write(Job.through("plugin: ./libtiny.so"))
    }

    private func constructor(_ body: String, headers: [String] = []) -> TinyPlugin {
        TinyPlugin(
            prelude: headers.map { "#include <\($0)>\n" }.joined()
                + "__attribute__((constructor)) static void begin(void) { \(body) }"
        )
    }

    private func scan(_ plugin: TinyPlugin) throws -> Run {
        try plugin.build(in: workspace)
        return try workspace.apus("plugin", "scan", "libtiny.so")
    }

    /// What a constructor changes, and what is said of it.
    private static let changes: [(headers: [String], body: String, says: String)] = [
        ([], "signal(SIGINT, SIG_IGN);", "the handler of SIGINT from the default to ignored"),
        ([], "signal(SIGSEGV, SIG_DFL);", "the handler of SIGSEGV from a handler at"),
        (["sys/stat.h"], "umask(0);", "changed the umask from 0"),
        ([], "chdir(\"/\");", "changed the working directory from"),
        (["locale.h"], "setlocale(LC_ALL, \"C.UTF-8\");", "changed the locale from"),
        (
            ["sys/resource.h"],
            "struct rlimit r = {40, 40}; setrlimit(RLIMIT_NOFILE, &r);",
            "changed the limit of open files from"
        ),
        (
            [],
            "sigset_t s; sigfillset(&s); sigprocmask(SIG_BLOCK, &s, 0);",
            "changed the thread's signal mask from signal let through to signal blocked"
        ),
        ([], "setenv(\"APUS_TEST\", \"1\", 1);", "the environment from without APUS_TEST to"),
        (["fcntl.h"], "open(\"/dev/null\", O_RDONLY);", "changed the number of open files"),
    ]

    @Test("what a constructor changes of the process is told", arguments: 0..<changes.count)
    func changed(index: Int) throws {
        let (headers, body, says) = Self.changes[index]
        let run = try scan(constructor(body, headers: headers))
        run.expect(prints: "test.tiny 1.2.3: fine", "warning: it ", says)
    }

    #if arch(x86_64)
    @Test("a floating-point mode that a constructor changed is told, and put back in a job")
    func floatingPoint() throws {
        let body = "__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);"
        let run = try scan(constructor(body))
        run.expect(prints: "changed the floating-point mode from 0x1f80", "to 0x9fc0")
        let job = try workspace.apus("run", "job.yaml")
        job.expect(
            status: 0,
            says: "warning: plugin test.tiny 1.2.3: changed the floating-point mode from 0x1f80",
            "while it was loaded; put back"
        )
    }
    #endif

    @Test("a thread that a constructor starts is told")
    func threads() throws {
        let plugin = TinyPlugin(
            prelude: """
                #include <pthread.h>
                static void *rest(void *p) { pause(); return p; }
                __attribute__((constructor)) static void begin(void) {
                    pthread_t t;
                    pthread_create(&t, 0, rest, 0);
                }
                """
        )
        try scan(plugin).expect(prints: "changed the number of threads from 1 to 2")
    }

    @Test("what a plugin prints is kept out of the results, and told")
    func prints() throws {
        let plugin = constructor(
            "printf(\"{\\\"id\\\": \"); fprintf(stderr, \"hello\");",
            headers: ["stdio.h"]
        )
        let run = try scan(plugin)
        run.expect(
            prints: "test.tiny 1.2.3: fine",
            "it printed to standard output (7 bytes)",
            "it printed to standard error (5 bytes)"
        )
        let json = try workspace.apus("plugin", "scan", "libtiny.so", "--json").jsonObject()
        #expect(json["output"] as? String == "{\"id\": ")
        #expect(json["errorOutput"] as? String == "hello")
        let report = try #require(json["report"] as? [String: Any])
        #expect(report["id"] as? String == "test.tiny")
    }

    @Test("a plugin that keeps printing is described all the same")
    func keepsPrinting() throws {
        let plugin = TinyPlugin(
            prelude: """
                #include <pthread.h>
                #include <stdio.h>
                static void *talk(void *p) {
                    for (;;) { puts("{\\"refusal\\": 7}"); fflush(stdout); }
                    return p;
                }
                __attribute__((constructor)) static void begin(void) {
                    pthread_t t;
                    pthread_create(&t, 0, talk, 0);
                }
                """
        )
        try plugin.build(in: workspace)
        let run = try workspace.apus("plugin", "describe", "libtiny.so")
        // Its lines may cut the result into pieces; then it is refused, and nothing worse.
        if run.end != .exited(0) {
            run.expect(status: 2, says: "libtiny.so: the scan said nothing of it")
        }
    }

    @Test("the network is out of reach")
    func network() throws {
        let plugin = constructor(
            """
            struct sockaddr_in to = {AF_INET, htons(9), {htonl(INADDR_LOOPBACK)}};
            int s = socket(AF_INET, SOCK_DGRAM, 0);
            if (s >= 0 && sendto(s, "x", 1, 0, (void *)&to, sizeof to) == 1) abort();
            if (s >= 0) close(s);
            """,
            headers: ["arpa/inet.h", "sys/socket.h"]
        )
        try scan(plugin).expect(prints: "test.tiny 1.2.3: fine", "network   none (")
    }

    @Test("memory without end is refused by the system, and only the child suffers")
    func memory() throws {
        let plugin = constructor(
            """
            for (size_t i = 0; i < 64; i++) {
                volatile char *p = malloc(16 << 20);
                if (!p) abort();
                for (size_t k = 0; k < 16 << 20; k += 4096) p[k] = 1;
            }
            """
        )
        try plugin.build(in: workspace)
        let run = try workspace.apus("plugin", "scan", "libtiny.so")
        run.expect(status: 2, says: "crashed while it was scanned: SIGABRT", "it may use 512 MiB")
    }

    @Test("a constructor that ends the process is no success", arguments: ["exit(0)", "_exit(0)"])
    func exits(call: String) throws {
        try constructor("\(call);").build(in: workspace)
        for command in [["plugin", "describe", "libtiny.so"], ["run", "job.yaml"]] {
            let run = try workspace.start(command).finish()
            let says = call == "exit(0)" ? "exit() was called" : "_exit() was called"
            run.expect(status: 2, says: "libtiny.so: ", says)
        }
    }

    @Test("what a plugin starts ends with the scan's time")
    func children() throws {
        let plugin = constructor(
            """
            if (fork() == 0) for (;;) pause();
            for (;;) pause();
            """
        )
        try plugin.build(in: workspace)
        let run = try workspace.apus("plugin", "scan", "libtiny.so")
        run.expect(status: 2, says: "did not finish loading within 5 s")
        let left = try workspace.shell("pgrep -f '\(workspace.path)/cache/[i]mages' | wc -l")
        #expect(left.output.trimmingCharacters(in: .whitespacesAndNewlines) == "0", "\(left)")
    }

    @Test("create is tried with {}: a refusal is told, and a crash is a warning")
    func trials() throws {
        let refusing = TinyPlugin(
            create: "return apus_fail(error, APUS_CONFIG, \"expected a limit\");"
        )
        try scan(refusing).expect(prints: "create    tiny refused: expected a limit")
        let crashing = TinyPlugin(create: "abort();")
        let run = try scan(crashing)
        run.expect(
            prints: "test.tiny 1.2.3: fine",
            "warning: create with the configuration {} ended the process: crashed while it was "
                + "scanned: SIGABRT",
            "in plugin test.tiny 1.2.3, component tiny, callback create"
        )
        // With another configuration it may be well.
        try workspace.apus("job", "validate", "job.yaml").expect(status: 0)
    }

    @Test("the verdict is remembered beside the copy, and a refusal is not")
    func remembered() throws {
        let plugin = TinyPlugin(
            prelude: """
                #include <fcntl.h>
                __attribute__((constructor)) static void begin(void) {
                    int f = open("\(workspace.path("scans"))", O_WRONLY | O_CREAT | O_APPEND, 0600);
                    write(f, "x", 1);
                    close(f);
                    if (access("\(workspace.path("fail"))", F_OK) == 0) abort();
                }
                """
        )
        try plugin.build(in: workspace)
        try workspace.write("fail", "")
        for _ in 0..<2 {
            try workspace.apus("job", "validate", "job.yaml").expect(status: 2)
        }
        #expect(workspace.text("scans") == "xx")
        try FileManager.default.removeItem(atPath: workspace.path("fail"))
        for _ in 0..<3 {
            try workspace.apus("job", "validate", "job.yaml").expect(status: 0)
        }
        #expect(workspace.text("scans") == "xxx")
        // The run loads it, and does not scan it again.
        try workspace.apus("run", "job.yaml").expect(status: 0)
        #expect(workspace.text("scans") == "xxxx")
        try workspace.apus("plugin", "scan", "libtiny.so").expect(status: 0)
        #expect(workspace.text("scans") == "xxxxx", "that scans in any case")
    }
}
