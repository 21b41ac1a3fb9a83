//! Tables told item by item as they were, and tables filled from outside.

use crate::support::*;
use engine::{ErrorKind, Exported, KeyPart, ProjectionKind, Scan, Span, TableSpec, TableStatus};
use model::key::KeyType;
use model::{Image, Item, View};
use std::collections::BTreeMap;
use std::time::Duration;
use world::{Timestamp, World};

fn wanted(name: &str) -> TableSpec {
    let mut wanted = spec(name, false, None);
    let who = KeyPart::new("who", KeyType::S);
    wanted.attributes.push(who.clone());
    wanted.global = vec![index("by-who", who, None, ProjectionKind::All)];
    wanted
}

fn row(id: u64, round: u64) -> Item {
    let who = if round.is_multiple_of(2) { "ann" } else { "bob" };
    item([("id", s(&id.to_string())), ("n", n(round)), ("who", s(who))])
}

type Rows = BTreeMap<String, Item>;

fn name_of(item: &Item) -> String {
    format!("{:?}", item.get("id"))
}

fn rows(house: &House, name: &str) -> Rows {
    let (items, _) = house.scan(&house.table(name), &Scan::default()).unwrap();
    items.into_iter().map(|item| (name_of(&item), item)).collect()
}

fn whole(view: View<'_>) -> Item {
    view.to_item().unwrap()
}

/// What became of an item: when it was last written, what it was and what it is.
type Change = (Timestamp, Option<Item>, Option<Item>);

fn changes(house: &House, from: Timestamp, to: Timestamp) -> BTreeMap<String, Change> {
    let mut found = BTreeMap::new();
    let export = house.engine().begin_export(&scope(), "Source", Span::Between { from, to }).unwrap();
    let done = export.run(house.engine(), &mut |exported| {
        let Exported::Change { at, old, new } = exported else { panic!("an item in an incremental export") };
        let (old, new) = (old.map(whole), new.map(whole));
        let name = name_of(new.as_ref().or(old.as_ref()).expect("one of them"));
        assert!(found.insert(name, (at, old, new)).is_none(), "told twice");
        true
    });
    assert!(done.unwrap());
    found
}

fn items(house: &House, at: Timestamp) -> Rows {
    let mut found = Rows::new();
    let export = house.engine().begin_export(&scope(), "Source", Span::At(at)).unwrap();
    let done = export.run(house.engine(), &mut |exported| {
        let Exported::Item(view) = exported else { panic!("a change in a full export") };
        let item = whole(view);
        assert!(found.insert(name_of(&item), item).is_none(), "told twice");
        true
    });
    assert!(done.unwrap());
    found
}

#[test]
fn an_export_is_of_its_moment_or_of_its_period() {
    everywhere(|house| {
        let dice = World::simulated(23);
        let table = house.create(wanted("Source"));
        for id in 0..150 {
            house.put(&table, row(id, 0));
        }
        house.engine().keep_history(&scope(), "Source", Some(35)).unwrap();
        // Moments, what there was then, and what was written before the next.
        let mut moments: Vec<(Timestamp, Rows, BTreeMap<String, Timestamp>)> = Vec::new();
        for round in 1..=5 {
            house.advance(Duration::from_secs(10));
            let (moment, before) = (house.world.now(), rows(house, "Source"));
            let mut written = BTreeMap::new();
            for _ in 0..90 {
                house.world.advance(Duration::from_millis(3));
                let id = dice.below(220);
                let key = item([("id", s(&id.to_string()))]);
                let done = match dice.below(3) {
                    0 => house.delete(&table, key.clone()),
                    _ => house.put(&table, row(id, round)),
                };
                if done.changed {
                    written.insert(name_of(&key), house.world.now());
                }
            }
            moments.push((moment, before, written));
        }
        house.advance(Duration::from_secs(10));
        moments.push((house.world.now(), rows(house, "Source"), BTreeMap::new()));
        for (moment, before, _) in &moments {
            // What was written at the moment itself belongs to the next period; here nothing was.
            assert_eq!(items(house, *moment), *before);
        }
        for from in 0..moments.len() {
            for to in from + 1..moments.len() {
                let (first, last) = (&moments[from], &moments[to]);
                let mut expected: BTreeMap<String, Change> = BTreeMap::new();
                for (name, at) in moments[from..to].iter().flat_map(|(_, _, written)| written) {
                    let change = (*at, first.1.get(name).cloned(), last.1.get(name).cloned());
                    expected.insert(name.clone(), change);
                }
                expected.retain(|_, (_, old, new)| old.is_some() || new.is_some());
                assert_eq!(changes(house, first.0, last.0), expected, "{from} to {to}");
            }
        }
        // Nothing of it is left behind.
        house.engine().maintain().unwrap();
        house.restart();
        assert_eq!(rows(house, "Source"), moments.last().unwrap().1);
    });
}

#[test]
fn an_export_stands_on_the_moment_at_which_it_was_begun() {
    let house = House::in_memory();
    let table = house.create(wanted("Source"));
    house.put(&table, row(1, 0));
    let begin = |span| house.engine().begin_export(&scope(), "Source", span);
    let now = house.world.now();
    assert_eq!(begin(Span::At(now)).map(drop).unwrap_err().kind, ErrorKind::NotRecoverable);
    house.engine().keep_history(&scope(), "Source", Some(1)).unwrap();
    let far = now + Duration::from_secs(60);
    for wrong in [Span::At(far), Span::Between { from: now, to: far }] {
        assert_eq!(begin(wrong).map(drop).unwrap_err().kind, ErrorKind::NotThen);
    }
    let export = begin(Span::At(now)).unwrap();
    house.put(&table, row(2, 0));
    house.engine().delete_table(&scope(), "Source").unwrap();
    let mut count = 0;
    let done = export.run(house.engine(), &mut |_| {
        count += 1;
        true
    });
    assert!(done.unwrap());
    assert_eq!(count, 1);
}

#[test]
fn an_imported_table_is_nobodys_before_it_is_whole() {
    everywhere(|house| {
        let made = house.engine().create_for_import(&scope(), wanted("Target")).unwrap();
        assert_eq!(made.status, TableStatus::Creating);
        let table = house.table("Target");
        assert_eq!(house.engine().describe_table(&table).unwrap().status, TableStatus::Creating);
        assert_eq!(house.scan(&table, &Scan::default()).unwrap_err().kind, ErrorKind::TableNotFound);
        let refused = house.engine().delete_table(&scope(), "Target").unwrap_err();
        assert_eq!(refused.kind, ErrorKind::TableInUse);
        let images = |rows: &[Item]| rows.iter().map(Image::of).collect::<Vec<_>>();
        // The same key twice in one call; no key; a key of an index that is of another type.
        let keyless = item([("who", s("ann"))]);
        let untyped = item([("id", s("9")), ("who", n(1))]);
        let put = house.engine().import(&table, images(&[row(1, 0), keyless, untyped, row(1, 1)])).unwrap();
        let told: Vec<Option<&str>> =
            put.iter().map(|error| error.as_ref().map(|error| &error.message[..])).collect();
        assert_eq!(told[0], None);
        assert_eq!(
            told[1],
            Some("One or more parameter values were invalid: Missing the key id in the item")
        );
        assert!(told[2].is_some_and(|words| words.contains("Type mismatch for Index Key who")), "{told:?}");
        assert_eq!(told[3], None);
        // The server stops: the import begins again.
        house.restart();
        let [table] = &house.engine().importing()[..] else { panic!("the table is still being imported") };
        let put = house.engine().import(table, images(&[row(1, 2), row(2, 2)])).unwrap();
        assert!(put.iter().all(Option::is_none), "{put:?}");
        house.engine().finish_import(table).unwrap();
        assert_eq!(house.engine().import(table, Vec::new()).unwrap_err().kind, ErrorKind::TableNotFound);
        assert!(house.engine().importing().is_empty());
        let described = house.engine().describe_table(table).unwrap();
        assert_eq!((described.status, described.items), (TableStatus::Active, 2));
        assert_eq!(house.by_who(table, "ann"), 2);
    });
}

#[test]
fn an_import_that_never_began_leaves_no_table() {
    let house = House::in_memory();
    house.engine().create_for_import(&scope(), wanted("Target")).unwrap();
    let table = house.table("Target");
    house.engine().discard_import(&table).unwrap();
    assert!(house.engine().table(&scope(), "Target").is_err());
    // Another one of the same name is not the one that was meant.
    let again = house.create(wanted("Target"));
    house.engine().discard_import(&again).unwrap();
    house.put(&again, row(1, 0));
}
