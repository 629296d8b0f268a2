// What calls across the border cost, each in nanoseconds: the median of 21 rounds, and the largest.
import Glibc

let callCount: Int64 = 4_000_000

func measure(_ name: String, _ body: () -> Int64) {
    var rounds: [Double] = []
    var sum: Int64 = 0
    for _ in 0..<21 {
        let start = spike_clock()
        sum &+= body()
        rounds.append(Double(spike_clock() - start) / Double(callCount))
    }
    rounds.sort()
    print("\(name)\t\(rounds[10])\t\(rounds[20])\t\(sum == 0)")
}

@c func exported(_ x: Int64) -> Int64 { x &+ 1 }

let closure: @convention(c) (Int64) -> Int64 = { $0 &+ 1 }
let context = UnsafeMutablePointer<apus_ctx>.allocate(capacity: 1)
context.initialize(to: apus_ctx())
let error = UnsafeMutablePointer<apus_error>.allocate(capacity: 1)
error.initialize(to: apus_error())
context.pointee.error = error
let site = UnsafeMutablePointer<apus_guard_site>.allocate(capacity: 1)
var siteValue = apus_guard_site()
siteValue.owner = UnsafePointer(strdup("plugin spike"))
site.initialize(to: siteValue)
guard let nothing = spike_operator("nothing"), let process = nothing.pointee.process else {
    exit(1)
}

measure("Swift calls C") {
    var sum: Int64 = 0
    for index in 0..<callCount { sum &+= spike_plain(index) }
    return sum
}
measure("Swift calls the plugin through its pointer") {
    var sum: Int64 = 0
    for _ in 0..<callCount { sum &+= Int64(process(nil, context, nil)) + 1 }
    return sum
}
measure("Swift calls the plugin through the guard") {
    var sum: Int64 = 0
    for _ in 0..<callCount {
        sum &+= Int64(apus_guard_process(site, nothing, nil, context, nil)) + 1
    }
    return sum
}
measure("C calls C through a pointer") { spike_call(spike_plain, callCount) }
measure("C calls a closure of Swift, @convention(c)") { spike_call(closure, callCount) }
measure("C calls a function of Swift, @c") { spike_call(exported, callCount) }
