//! apus-name: counts the records of each key, and tells the count when the key has been silent for
//! a minute of event time.

use apus::{Context, Counter, Declare, Error, FiredTimer, Operator, Record, Result, Timer, SECOND};

const SILENCE: i64 = 60 * SECOND;

/// State and timers, kept by the host for each key; the names are stable for ever.
struct ApusNameOperator {
    count: Counter,
    quiet: Timer,
}

impl Operator for ApusNameOperator {
    const ID: &'static str = "apus-name";
    const SUMMARY: &'static str = "counts the records of each key until it is silent for a minute";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        ApusNameOperator { count: declare.counter("count"), quiet: declare.timer("quiet") }
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let time = record
            .time()
            .filter(|time| (0..=i64::MAX - SILENCE).contains(time))
            .ok_or_else(|| Error::bad_record("the record has no time"))?;
        self.count.add(context, 1)?;
        context.set(self.quiet, time + SILENCE)
    }

    fn on_timer(&mut self, timer: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
        let count = self.count.get(context)?;
        context.emit(format!("{},{}", String::from_utf8_lossy(timer.key()), count))?;
        self.count.clear(context)
    }
}

apus::plugin! {
    id: "com.example.apus-name", version: "0.1.0", vendor: "Example",
    operators: [ApusNameOperator]
}

#[cfg(test)]
mod tests;
