import Glibc

/// The names of signals, for messages.
package enum SignalName {
    /// The name of a signal: `SIGSEGV`, or `signal 99` for one without a name.
    package static func of(_ number: Int32) -> String {
        names[number].map { "SIG" + $0 } ?? "signal \(number)"
    }

    private static let names: [Int32: String] = [
        SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGILL: "ILL", SIGTRAP: "TRAP",
        SIGABRT: "ABRT", SIGBUS: "BUS", SIGFPE: "FPE", SIGKILL: "KILL", SIGUSR1: "USR1",
        SIGSEGV: "SEGV", SIGUSR2: "USR2", SIGPIPE: "PIPE", SIGALRM: "ALRM", SIGTERM: "TERM",
        SIGCHLD: "CHLD", SIGCONT: "CONT", SIGSTOP: "STOP", SIGTSTP: "TSTP", SIGXCPU: "XCPU",
        SIGXFSZ: "XFSZ", SIGSYS: "SYS",
    ]
}
