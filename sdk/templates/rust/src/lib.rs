//! apus-name: counts the records of each key and minute, and tells the count when that is over.

use apus::{Context, Declare, Error, FiredTimer, Map, Operator, Record, Result, Timer, SECOND};

const MINUTE: i64 = 60 * SECOND;
const YEAR_10000: i64 = 253_402_300_800 * SECOND;

/// State and timers, kept by the host for each key; the names are stable for ever.
struct ApusNameOperator {
    /// By the minute's number.
    counts: Map<i64, i64>,
    minute_is_over: Timer,
}

impl Operator for ApusNameOperator {
    const ID: &'static str = "apus-name";
    const SUMMARY: &'static str = "counts the records of each key and minute";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        ApusNameOperator {
            counts: declare.map("counts"),
            minute_is_over: declare.timer("minute-is-over"),
        }
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let time = record
            .time()
            .filter(|time| (0..YEAR_10000).contains(time))
            .ok_or_else(|| Error::bad_record("the record has no time"))?;
        let minute = time / MINUTE;
        let count = self.counts.get(context, &minute)?.unwrap_or(0) + 1;
        self.counts.set(context, &minute, &count)?;
        // Setting the minute's timer again replaces it.
        context.set_with(self.minute_is_over, minute as u64, (minute + 1) * MINUTE, "")
    }

    fn on_timer(&mut self, timer: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
        let minute = timer.id() as i64;
        let count = self.counts.get(context, &minute)?.unwrap_or(0);
        context.emit(format!("{},{}", String::from_utf8_lossy(timer.key()), count))?;
        self.counts.remove(context, &minute).map(|_| ())
    }
}

apus::plugin! {
    id: "com.example.apus-name", version: "0.1.0", vendor: "Example",
    operators: [ApusNameOperator]
}

#[cfg(test)]
mod tests;
