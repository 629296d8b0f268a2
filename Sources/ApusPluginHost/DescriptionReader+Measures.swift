import ApusState
import CApusPlugin

extension DescriptionReader {
    /// The size in ABI 0.1 and 0.2; what lies behind is zero in a plugin of those versions.
    private static let oldTimerByteCount =
        MemoryLayout<apus_timer_decl>.offset(of: \.schema_version) ?? 0

    func readTimers(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [TimerDescription] {
        var timers: [TimerDescription] = []
        for index in 0..<Int(try count(value.timer_count, value.timers, "timers")) {
            guard let pointer = value.timers[index] else { throw bad("timer \(index) is NULL") }
            try check(pointer.pointee.size, Self.oldTimerByteCount, "timer \(index)")
            let timer = Self.copy(pointer, size: pointer.pointee.size, apus_timer_decl())
            let timerName = try name(timer.name, "the name of timer \(index) of '\(id)'")
            let version = max(1, timer.schema_version)
            let migration = try migration(
                current: version,
                oldest: timer.min_readable,
                isGiven: timer.migrate != nil,
                renamedFrom: apus_str(),
                "timer '\(timerName)' of '\(id)'"
            )
            let domain: KeyedState.TimerDomain
            switch Int32(bitPattern: timer.domain) {
            case APUS_EVENT_TIME: domain = .event
            case APUS_PROCESSING_TIME: domain = .processing
            default:
                throw bad("timer '\(timerName)' of '\(id)': unknown domain \(timer.domain)")
            }
            timers.append(
                TimerDescription(
                    name: timerName,
                    domain: domain,
                    schemaVersion: Int(version),
                    migration: migration
                )
            )
        }
        try checkUnique(timers.map(\.name), "timer of '\(id)'")
        return timers
    }

    func readCounters(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [CounterDescription] {
        var counters: [CounterDescription] = []
        for index in 0..<Int(try count(value.counter_count, value.counters, "counters")) {
            guard let counter = value.counters[index] else { throw bad("counter \(index) is NULL") }
            try check(
                counter.pointee.size,
                MemoryLayout<apus_counter_decl>.size,
                "counter \(index)"
            )
            counters.append(
                CounterDescription(
                    name: try name(
                        counter.pointee.name,
                        "the name of counter \(index) of '\(id)'"
                    ),
                    isGauge: counter.pointee.flags & APUS_GAUGE != 0
                )
            )
        }
        try checkUnique(counters.map(\.name), "counter of '\(id)'")
        return counters
    }

    func readHistograms(
        _ value: apus_component,
        _ id: String
    ) throws(PluginError) -> [String] {
        guard value.histogram_count <= 32 else {
            throw bad("'\(id)' declares \(value.histogram_count) histograms; at most 32")
        }
        var names: [String] = []
        for index in 0..<Int(try count(value.histogram_count, value.histograms, "histograms")) {
            guard let histogram = value.histograms[index] else {
                throw bad("histogram \(index) is NULL")
            }
            let byteCount = MemoryLayout<apus_histogram_decl>.size
            try check(histogram.pointee.size, byteCount, "histogram \(index)")
            names.append(
                try name(histogram.pointee.name, "the name of histogram \(index) of '\(id)'")
            )
        }
        try checkUnique(names, "histogram of '\(id)'")
        return names
    }
}
