import ApusCore
@preconcurrency import Glibc

/// A process that was started by this one, and must be asked for its end until it has one.
final class ChildProcess: RunningProcess {
    private let id: pid_t

    /// Where a child's output goes.
    struct Outputs {
        /// Its standard output.
        var output: Int32
        /// Its standard error.
        var error: Int32
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: What it gets as arguments, its own name first.
    ///   - outputs: Where its output goes, its input being empty; nil for this process's files.
    /// - Throws: ``ProcessError`` that names the program and the reason.
    init(_ path: String, arguments: [String], outputs: Outputs?) throws(ProcessError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let outputs {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, outputs.output, 1)
            posix_spawn_file_actions_adddup2(&actions, outputs.error, 2)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        )

        // SAFETY: the copies of the arguments live until after the call, which copies them again;
        // the environment belongs to the process, and nothing here changes it.
        let words = arguments.map { strdup($0) }
        defer { for word in words { free(word) } }
        var id = pid_t()
        let status = posix_spawn(&id, path, &actions, &attributes, words + [nil], environ)
        guard status == 0 else {
            throw ProcessError("cannot start \(path): \(DiskError.text(of: status))")
        }
        self.id = id
    }

    // doc: inherited
    func kill() {
        Glibc.kill(id, SIGKILL)
        // A child that made itself a group has its own children in it.
        Glibc.kill(-id, SIGKILL)
    }

    // doc: inherited
    func ask(toEnd request: EndRequest) {
        Glibc.kill(id, request == .interrupt ? SIGINT : SIGTERM)
    }

    // doc: inherited
    func end(waiting: Bool) -> ProcessResult.End? {
        var status: Int32 = 0
        while true {
            let ended = waitpid(id, &status, waiting ? 0 : WNOHANG)
            if ended == id { break }
            if ended == 0 { return nil }
            precondition(errno == EINTR, "the child is ours and has not been asked after its end")
        }
        // The macros WIFSIGNALED, WTERMSIG and WEXITSTATUS.
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
}
