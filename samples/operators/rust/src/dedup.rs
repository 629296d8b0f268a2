//! Passes a line on unless its key has had the same id a short while ago.
//!
//! Each id has a timer that forgets it.  A line may be noticed to be past that time before the
//! timer fires; then the id is new, and its old timer finds it renewed.

use apus::{
    Config, Context, Counter, Declare, Error, FiredTimer, Map, Metric, Operator, Output, Record,
    Result, Timer, SECOND,
};

use crate::fields::field;
use crate::time_of;

pub struct Dedup {
    seen: Map<Vec<u8>, i64>,
    number: Counter,
    expired: Timer,
    duplicates: Output,
    duplicate_count: Metric,
    column: usize,
    ttl: i64,
}

impl Operator for Dedup {
    const ID: &'static str = "dedup";
    const SUMMARY: &'static str =
        "passes a line on unless the key has had its id a short while ago";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        Dedup {
            seen: declare.map("seen"),
            number: declare.counter("number"),
            expired: declare.timer("expired"),
            duplicates: declare.output("duplicates", "lines with ids that the key has had"),
            duplicate_count: declare.metric("duplicates", "lines with known ids"),
            column: 0,
            ttl: 0,
        }
    }

    fn configure(&mut self, config: &Config) -> Result {
        config.allow_only(&["column", "ttl-seconds"])?;
        self.column = config.integer_in("column", 0..=999)? as usize;
        self.ttl = config.integer_in("ttl-seconds", 1..=86_400)? * SECOND;
        Ok(())
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let time = time_of(&record)?;
        let id = field(record.value(), self.column)
            .filter(|id| !id.is_empty())
            .ok_or_else(|| Error::bad_record("the record has no id"))?
            .to_vec();
        if let Some(seen) = self.seen.get(context, &id)? {
            if time < seen + self.ttl {
                context.count(self.duplicate_count, 1);
                return context.forward_to(self.duplicates);
            }
        }
        context.forward()?;
        self.seen.set(context, &id, &time)?;
        let number = self.number.add(context, 1)?;
        context.set_with(self.expired, number as u64, time + self.ttl, id)
    }

    fn on_timer(&mut self, timer: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
        let id = timer.payload().to_vec();
        if let Some(seen) = self.seen.get(context, &id)? {
            if seen + self.ttl <= timer.time() {
                self.seen.remove(context, &id)?;
            }
        }
        Ok(())
    }
}
