package import ApusCore
package import ApusPluginHost
import Foundation
import Synchronization

/// Checks a plugin: picks the checks, runs each, in a child process unless told otherwise, and
/// collects how they came out.
package struct CheckSession: Sendable {
    /// A check of one component, or of the plugin.
    struct Task: Sendable {
        var check: Check
        var component: String?
    }

    /// The plugin's file.
    package var file: String
    /// What the checks get.
    package var settings: CheckSettings
    /// Checks with a higher strictness are left out.
    package var strictness = 5
    /// Whether a check, by "E48 batch-split-invariance component", is wanted.
    package var isWanted: @Sendable (String) -> Bool = { _ in true }
    /// How many children run at once.
    package var jobs = 1
    /// Where images of plugins are put.
    package var imageDirectory: String
    /// Starts children; nil to run everything in this process.
    package var processes: (any Processes)?
    /// Starts threads that wait for children.
    package var threads: any Threads

    /// Creates a session with what is usual.
    package init(
        file: String,
        settings: CheckSettings,
        imageDirectory: String,
        processes: (any Processes)?,
        threads: any Threads
    ) {
        self.file = file
        self.settings = settings
        self.imageDirectory = imageDirectory
        self.processes = processes
        self.threads = threads
    }

    /// Runs all checks that are wanted.
    ///
    /// - Parameters:
    ///   - components: The plugin's components; nil when it cannot be loaded, which the checks of
    ///     loading will explain.
    ///   - report: Gets each result, in the order of the checks, as soon as all before are there.
    /// - Returns: All results.
    package func run(
        components: [(id: String, kind: ComponentKind)]?,
        report: @escaping @Sendable (CheckResult) -> Void
    ) -> [CheckResult] {
        let tasks = tasks(components)
        guard processes != nil, jobs > 1 else {
            return tasks.map { task in
                let result = run(task)
                report(result)
                return result
            }
        }
        let state = Mutex(Progress(results: Array(repeating: nil, count: tasks.count)))
        let workers = (0..<min(jobs, tasks.count)).map { number in
            threads.start(name: "check-\(number)") {
                while let index = state.withLock({ $0.take() }) {
                    let result = run(tasks[index])
                    state.withLock { $0.put(result, at: index, report) }
                }
            }
        }
        for worker in workers { worker.join() }
        return state.withLock { $0.results.compactMap { $0 } }
    }

    private struct Progress {
        var results: [CheckResult?]
        var next = 0
        var reported = 0

        mutating func take() -> Int? {
            guard next < results.count else { return nil }
            next += 1
            return next - 1
        }

        mutating func put(
            _ result: CheckResult,
            at index: Int,
            _ report: (CheckResult) -> Void
        ) {
            results[index] = result
            while reported < results.count, let ready = results[reported] {
                report(ready)
                reported += 1
            }
        }
    }

    private func tasks(_ components: [(id: String, kind: ComponentKind)]?) -> [Task] {
        var tasks: [Task] = []
        for check in CheckCatalogue.all where check.strictness <= strictness {
            if check.group == .fuzz, settings.fuzzSeconds == 0 { continue }
            if case .plugin = check.subject {
                tasks.append(Task(check: check, component: nil))
                continue
            }
            guard let components else {
                tasks.append(Task(check: check, component: nil))
                continue
            }
            for component in components {
                guard check.applies(to: component.kind),
                    settings.component == nil || settings.component == component.id
                else { continue }
                tasks.append(Task(check: check, component: component.id))
            }
        }
        return tasks.filter { isWanted("\($0.check.id) \($0.check.name) \($0.component ?? "")") }
    }

    // MARK: - One check

    private func run(_ task: Task) -> CheckResult {
        var settings = settings
        if task.check.group != .fuzz { settings.fuzzSeconds = 0 }
        let order = CheckChild.Order(
            check: task.check.id,
            file: file,
            component: task.component,
            settings: settings,
            imageDirectory: imageDirectory
        )
        guard let processes else { return CheckChild.run(task.check, order) { _ in } }
        let timeout = task.check.timeoutSeconds + settings.fuzzSeconds
        do {
            let text = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
            let result = try processes.runSelf(
                arguments: ["plugin-check-one", text],
                timeoutMilliseconds: Int32(clamping: timeout * 1_000)
            )
            return read(result, task, timeoutSeconds: timeout)
        } catch {
            return CheckResult(
                task.check,
                component: task.component,
                verdict: .fail,
                message: "cannot start a process for the check: \(error)",
                seed: settings.seed
            )
        }
    }

    private func read(
        _ result: ProcessResult,
        _ task: Task,
        timeoutSeconds: Int
    ) -> CheckResult {
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        func last(_ mark: String) -> String? {
            lines.last { $0.hasPrefix(mark) }.map { String($0.dropFirst(mark.count)) }
        }
        func failure(_ verdict: CheckResult.Verdict, _ message: String) -> CheckResult {
            CheckResult(
                task.check,
                component: task.component,
                verdict: verdict,
                message: message + (last(CheckChild.noteMark).map { "; it was at: \($0)" } ?? ""),
                seed: settings.seed
            )
        }
        if result.end == .exited(0), let text = last(CheckChild.resultMark),
            let found = decoded(text)
        {
            return found
        }
        let violation = last(CheckChild.violationMark).map { String($0.dropFirst()) }
        switch result.end {
        case .timedOut:
            return failure(.hang, violation ?? "did not end within \(timeoutSeconds) s")
        case .signalled(let number):
            return failure(.crash, crash(result) ?? "ended by signal \(number)")
        case .exited(let status):
            return failure(
                .fail,
                violation ?? crash(result) ?? "ended the process with status \(status)"
            )
        }
    }

    private func decoded(_ json: String) -> CheckResult? {
        try? JSONDecoder().decode(CheckResult.self, from: Data(json.utf8))  // Nil: it is none.
    }

    /// The line of the crash report.
    private func crash(_ result: ProcessResult) -> String? {
        String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n")
            .last { $0.contains("apus: crash: ") }
            .map { String($0.dropFirst("apus: crash: ".count)) }
    }
}
