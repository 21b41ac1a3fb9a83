//! A server's own tables, as pipelines in it read them.

use engine::{Scan, Segment};
use services::TablesInProcess;
use sinks::join::Sequence;
use sinks::source::{Changed, InProcess, Part, Scanned};

pub struct Own(pub TablesInProcess);

impl InProcess for Own {
    fn scan(&self, table: &str, part: &Part<'_>, visit: &mut dyn FnMut(model::View<'_>)) -> Option<Scanned> {
        let start = part.start()?;
        let segment = (part.segments > 1).then_some(Segment { number: part.segment, total: part.segments });
        let scan = Scan { limit: part.limit, start: start.as_ref(), segment, ..Scan::default() };
        let page = self.0.scan(table, &scan, visit)?;
        Some(Scanned { last: page.last, read_units: page.consumed.table })
    }

    fn records(
        &self,
        iterator: &str,
        limit: usize,
        visit: &mut dyn FnMut(Changed<'_>),
    ) -> Option<Option<String>> {
        let page = self.0.records(iterator, limit)?;
        for record in &page.records {
            visit(Changed {
                sequence: Sequence::parse(&record.sequence.digits())?,
                keys: record.keys(),
                old: record.before(),
                new: record.after(),
                created_s: record.created.seconds(),
                expired: record.service_delete,
            });
        }
        Some(page.next)
    }
}
