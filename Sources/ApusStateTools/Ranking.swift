/// The first few of many, by some order.
struct Ranking<Element> {
    private var elements: [Element] = []
    private let limit: Int
    private let isBefore: (Element, Element) -> Bool

    init(limit: Int, isBefore: @escaping (Element, Element) -> Bool) {
        self.limit = max(0, limit)
        self.isBefore = isBefore
    }

    /// Adds an element, if it is among the first.
    mutating func add(_ element: Element) {
        elements.append(element)
        // Sorting now and then costs less than keeping the order.
        if elements.count >= 2 * limit + 64 { shorten() }
    }

    private mutating func shorten() {
        elements.sort(by: isBefore)
        if elements.count > limit { elements.removeLast(elements.count - limit) }
    }

    /// The first ones, in their order.
    var first: [Element] {
        var copy = self
        copy.shorten()
        return copy.elements
    }
}
