//! A plugin made with the Rust SDK of ABI 0.3, for the corpus.
//!
//! `gathered`: keyed; a value, a counter, a list, a map and a timer for each record.

use apus::{
    Config, Context, Counter, Declare, Error, FiredTimer, List, Map, Metric, Operator, Output,
    Record, Result, Timer, Value,
};

apus::plugin! {
    id: "corpus.rust03", version: "1.0.0", vendor: "Apus",
    operators: [Gathered]
}

pub struct Gathered {
    newest: Value<i64>,
    number: Counter,
    ends: List<Vec<u8>>,
    seen: Map<Vec<u8>, i64>,
    due: Timer,
    marks: Output,
    records: Metric,
}

impl Operator for Gathered {
    const ID: &'static str = "gathered";
    const SUMMARY: &'static str = "what a key has had so far";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        Gathered {
            newest: declare.value("newest"),
            number: declare.counter("number"),
            ends: declare.list("ends"),
            seen: declare.map("seen"),
            due: declare.timer("due"),
            marks: declare.output("marks", "records that are marked"),
            records: declare.metric("records", "records"),
        }
    }

    fn configure(&mut self, _: &Config) -> Result {
        Ok(())
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let value = record.value();
        if value.len() < 10 {
            return Err(Error::bad_record("the record is too short"));
        }
        let time = record.time().unwrap_or(0);
        let before = self.newest.get(context)?.unwrap_or(-1);
        let count = self.number.add(context, 1)?;
        let end = value[value.len() - 3..value.len() - 1].to_vec();
        self.ends.append(context, &end)?;
        self.seen.set(context, &end, &time)?;
        let firsts: String =
            self.ends.all(context)?.iter().map(|item| item[0] as char).collect();
        let mut times = 0;
        self.seen.for_each(context, |_, at| {
            times += at;
            Ok(true)
        })?;
        self.newest.set(context, &time)?;
        context.set_with(self.due, count as u64, time + 1000, &end)?;
        context.emit(format!("{} {} {} {}", count, before, firsts, times))?;
        if count % 10 == 0 {
            context.forward_to(self.marks)?;
        }
        context.count(self.records, 1);
        Ok(())
    }

    fn on_timer(&mut self, timer: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
        let mut line = format!("due {} ", timer.id()).into_bytes();
        line.extend_from_slice(timer.payload());
        context.emit_with_key(Output::MAIN, timer.key(), line, timer.time())
    }
}
