import ApusMemory

/// Memory for the index tables of key groups: arrays of 2^n entries of 8 bytes, zeroed.
///
/// The tables of an operator grow at about the same time, from one size to the next.  Tables of a
/// page and more are cut from regions of one large page that hold tables of one size; a region is
/// given back when its last table is freed.  Smaller ones come from the heap.  A handle on memory
/// that ``destroy()`` frees; one thread.
struct TableRegions {
    private typealias Entries = UnsafeMutablePointer<UInt64>

    private static let smallByteCountMax = 2048

    /// The regions of one table size.
    private struct SizeClass {
        /// Tables that can be taken.
        var free: [UnsafeMutableRawPointer] = []
        /// Tables in use, by region.
        var usedCounts: [UnsafeMutableRawPointer: Int] = [:]
    }

    private final class Core {
        var classes: [SizeClass] = Array(repeating: SizeClass(), count: 32)
    }

    private let core = Core()

    /// Gives back what is mapped.
    func destroy() {
        for sizeClass in core.classes {
            for region in sizeClass.usedCounts.keys {
                LargePages.unmap(region, LargePages.byteCount)
            }
        }
        core.classes.removeAll()
    }

    /// A zeroed table of so many entries, a power of two.
    func allocate(count: Int) -> UnsafeMutablePointer<UInt64> {
        let byteCount = count * 8
        if byteCount <= Self.smallByteCountMax {
            let table = Entries.allocate(capacity: count)
            table.initialize(repeating: 0, count: count)
            return table
        }
        if byteCount >= LargePages.byteCount {
            return LargePages.map(byteCount).bindMemory(to: UInt64.self, capacity: count)
        }
        return takeFromRegion(byteCount).bindMemory(to: UInt64.self, capacity: count)
    }

    /// Frees a table of so many entries.
    func free(_ table: UnsafeMutablePointer<UInt64>, count: Int) {
        let byteCount = count * 8
        if byteCount <= Self.smallByteCountMax {
            table.deallocate()
        } else if byteCount >= LargePages.byteCount {
            LargePages.unmap(UnsafeMutableRawPointer(table), byteCount)
        } else {
            giveToRegion(UnsafeMutableRawPointer(table), byteCount)
        }
    }

    private func takeFromRegion(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let index = byteCount.trailingZeroBitCount
        if core.classes[index].free.isEmpty {
            let region = LargePages.map(LargePages.byteCount)
            core.classes[index].usedCounts[region] = 0
            for offset in stride(from: 0, to: LargePages.byteCount, by: byteCount).reversed() {
                core.classes[index].free.append(region + offset)
            }
        }
        let table = core.classes[index].free.removeLast()
        core.classes[index].usedCounts[Self.region(of: table), default: 0] += 1
        // Fresh regions are zeroed by the system; tables that were used before are not.
        table.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        return table
    }

    private func giveToRegion(_ table: UnsafeMutableRawPointer, _ byteCount: Int) {
        let index = byteCount.trailingZeroBitCount
        let region = Self.region(of: table)
        core.classes[index].free.append(table)
        let used = (core.classes[index].usedCounts[region] ?? 1) - 1
        core.classes[index].usedCounts[region] = used
        guard used == 0 else { return }
        core.classes[index].usedCounts[region] = nil
        core.classes[index].free.removeAll { Self.region(of: $0) == region }
        LargePages.unmap(region, LargePages.byteCount)
    }

    private static func region(of table: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        // SAFETY: regions are aligned to their size, so the low bits are the offset in the region.
        let offset = Int(bitPattern: table) & (LargePages.byteCount - 1)
        return table - offset
    }
}
