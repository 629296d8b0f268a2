import ApusCore
import CApusGuard

/// What a plugin takes of the process, and why it would stay there.
struct PluginResidency {
    let byteCount: Int
    let threadCount: Int
    private(set) var reasons: [ResidencyReason]

    private static let mapByteCountMax = 64 << 20

    /// Finds out how it is now.
    ///
    /// - Precondition: The plugin is loaded, and is not unloaded during the call.
    init(_ plugin: LoadedPlugin, _ disk: any Disk) {
        var start: UInt64 = 0
        var end: UInt64 = 0
        var bytes: UInt64 = 0
        // SAFETY: the handle is of dlopen and was not given back.
        let isThere = apus_guard_image_range(plugin.handle, &start, &end, &bytes) != 0
        byteCount = Int(clamping: bytes)
        threadCount = ThreadCensus.threads(of: plugin, disk)
        reasons = plugin.report.contents?.residency ?? []
        if threadCount > 0 { reasons.append(.threads) }
        if isThere, apus_guard_has_handler_within(start, end) != 0 {
            reasons.append(.signalHandler)
        }
    }

    /// That of a plugin that is gone.
    static let none = PluginResidency(byteCount: 0, threadCount: 0, reasons: [])

    private init(byteCount: Int, threadCount: Int, reasons: [ResidencyReason]) {
        self.byteCount = byteCount
        self.threadCount = threadCount
        self.reasons = reasons
    }

    /// The same with another reason.
    func adding(_ reason: ResidencyReason) -> PluginResidency {
        var residency = self
        residency.reasons.append(reason)
        return residency
    }

    /// Whether any part of a plugin's file is mapped into the process.
    static func isMapped(_ plugin: LoadedPlugin, _ disk: any Disk) -> Bool {
        let maps: [UInt8]
        do {
            maps = try disk.readAll("/proc/self/maps", maximumByteCount: mapByteCountMax)
        } catch {
            // Not to know is not to say that it is gone.
            return true
        }
        return String(decoding: maps, as: UTF8.self).contains(plugin.image)
    }
}
