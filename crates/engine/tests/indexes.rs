use crate::support::*;
use engine::{
    Attributes, Consistency, ErrorKind, IndexChange, IndexSpec, IndexStatus, KeyCondition, KeyPart,
    KeySchema, ProjectionKind, Query, Scan, Table, TableChange, TableSpec,
};
use model::expression::RangeCondition;
use model::key::KeyType;
use model::{Item, Value};
use std::sync::Arc;
use store::Order;

fn query<'a>(index: &'a str, key: &'a KeyCondition) -> Query<'a> {
    Query {
        index: Some(index),
        key,
        filter: None,
        attributes: Attributes::Projected,
        order: Order::Forward,
        limit: None,
        start: None,
        consistency: Consistency::Eventual,
    }
}

fn all_of(value: Value) -> KeyCondition {
    KeyCondition { hash: vec![value], range_equal: vec![], range: None }
}

/// By `who` globally, by `when` locally.
fn indexed(projection: ProjectionKind) -> TableSpec {
    let mut wanted = spec("T", true, None);
    let (who, when) = (KeyPart::new("who", KeyType::S), KeyPart::new("when", KeyType::N));
    wanted.attributes.extend([who.clone(), when.clone()]);
    wanted.local = vec![index("by-when", wanted.key.hash[0].clone(), Some(when.clone()), projection.clone())];
    wanted.global = vec![index("by-who", who, Some(when), projection)];
    wanted
}

fn row(id: &str, at: &str, who: &str, when: i32) -> Item {
    item([("at", s(at)), ("id", s(id)), ("when", n(when)), ("who", s(who)), ("x", s("x")), ("y", s("y"))])
}

#[test]
fn entries_follow_their_items() {
    everywhere(|house| {
        let table = house.create(indexed(ProjectionKind::All));
        house.put(&table, row("a", "1", "ann", 5));
        house.put(&table, row("b", "1", "ann", -3));
        house.put(&table, row("c", "1", "bob", 1));
        house.put(&table, id_at("d", "1"));
        let by_who = |who| house.query(&table, &query("by-who", &all_of(s(who)))).unwrap().0;
        assert_eq!(by_who("ann"), [row("b", "1", "ann", -3), row("a", "1", "ann", 5)]);
        house.update(&table, id_at("b", "1"), "SET who = :who", &[(":who", s("bob"))]);
        assert_eq!(by_who("ann"), [row("a", "1", "ann", 5)]);
        assert_eq!(by_who("bob"), [row("b", "1", "bob", -3), row("c", "1", "bob", 1)]);
        house.update(&table, id_at("b", "1"), "REMOVE who", &[]);
        house.delete(&table, id_at("a", "1"));
        assert_eq!((by_who("ann").len(), by_who("bob").len()), (0, 1));
        let described = house.engine().describe_table(&table).unwrap();
        assert_eq!((described.items, described.global[0].items, described.local[0].items), (3, 1, 2));
        let (all, _) = house.scan(&table, &Scan { index: Some("by-who"), ..Scan::default() }).unwrap();
        assert_eq!(all, [row("c", "1", "bob", 1)]);
    });
}

#[test]
fn projections_hold_what_they_say() {
    let keys = || item([("at", s("1")), ("id", s("a")), ("when", n(5)), ("who", s("ann"))]);
    let some = Item::from_iter(keys().into_iter().chain([("x".to_owned(), s("x"))]));
    for (projection, held) in [
        (ProjectionKind::All, row("a", "1", "ann", 5)),
        (ProjectionKind::KeysOnly, keys()),
        (ProjectionKind::Include(vec!["x".into(), "z".into()]), some),
    ] {
        let house = House::in_memory();
        let table = house.create(indexed(projection.clone()));
        house.put(&table, row("a", "1", "ann", 5));
        let read = |index, key: &KeyCondition, attributes| {
            house.query(&table, &Query { attributes, ..query(index, key) }).map(|(items, _)| items)
        };
        let (who, own) = (all_of(s("ann")), all_of(s("a")));
        assert_eq!(read("by-who", &who, Attributes::Projected).unwrap(), std::slice::from_ref(&held));
        // Each index has its own keys.
        let local: Item = held
            .iter()
            .filter(|(name, _)| *name != "who" || projection == ProjectionKind::All)
            .map(|(name, value)| (name, value.clone()))
            .collect();
        assert_eq!(read("by-when", &own, Attributes::Projected).unwrap(), std::slice::from_ref(&local));
        // A local index has the rest at hand; a global one says no.
        assert_eq!(read("by-when", &own, Attributes::All).unwrap(), [row("a", "1", "ann", 5)]);
        assert_eq!(read("by-when", &own, Attributes::Named(&["y"])).unwrap(), [row("a", "1", "ann", 5)]);
        assert_eq!(read("by-when", &own, Attributes::Named(&["at"])).unwrap(), [local]);
        if projection != ProjectionKind::All {
            refuses(
                read("by-who", &who, Attributes::All),
                ErrorKind::Validation,
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index by-who because its projection type is not ALL",
            );
            refuses(
                read("by-who", &who, Attributes::Named(&["at", "y"])),
                ErrorKind::Validation,
                "One or more parameter values were invalid: Global secondary index by-who does not project [y]",
            );
        }
    }
}

#[test]
fn equal_index_keys_are_told_apart_by_their_items() {
    let house = House::in_memory();
    let table = house.create(indexed(ProjectionKind::KeysOnly));
    for id in ["a", "b", "c"] {
        for at in ["1", "2"] {
            house.put(&table, row(id, at, "ann", 1));
        }
    }
    let key = all_of(s("ann"));
    let (whole, _) = house.query(&table, &query("by-who", &key)).unwrap();
    assert_eq!(whole.len(), 6);
    for order in [Order::Forward, Order::Backward] {
        let (mut start, mut read) = (None::<Item>, Vec::new());
        loop {
            let query = Query { start: start.as_ref(), limit: Some(1), order, ..query("by-who", &key) };
            let (items, page) = house.query(&table, &query).unwrap();
            read.extend(items);
            match page.last {
                Some(last) => start = Some(last),
                None => break,
            }
        }
        if order == Order::Backward {
            read.reverse();
        }
        assert_eq!(read, whole);
    }
    // Of a start key for an index, all keys are needed.
    let start = id_at("a", "1");
    refuses(
        house.query(&table, &Query { start: Some(&start), ..query("by-who", &key) }),
        ErrorKind::Validation,
        "The provided starting key is invalid",
    );
}

#[test]
fn global_indexes_may_have_several_key_attributes() {
    let house = House::in_memory();
    let mut wanted = spec("T", false, None);
    let parts = ["a", "b", "c", "d"].map(|name| KeyPart::new(name, KeyType::N));
    wanted.attributes.extend(parts.clone());
    let [a, b, c, d] = parts;
    wanted.global = vec![IndexSpec {
        name: "many".into(),
        key: KeySchema { hash: vec![a, b], range: vec![c, d] },
        projection: ProjectionKind::KeysOnly,
        throughput: None,
        reserve: engine::Reserve::default(),
    }];
    let table = house.create(wanted);
    for number in 0..16 {
        let bit = |at: u32| n((number >> at) & 1);
        house.put(
            &table,
            item([
                ("a", bit(0)),
                ("b", bit(1)),
                ("c", bit(2)),
                ("d", bit(3)),
                ("id", s(&number.to_string())),
            ]),
        );
    }
    let read = |key: KeyCondition| {
        let (items, _) = house.query(&table, &query("many", &key)).unwrap();
        items.iter().map(|item| format!("{:?}", item.get("id").unwrap())).collect::<Vec<_>>()
    };
    let key = KeyCondition { hash: vec![n(1), n(0)], range_equal: vec![], range: None };
    assert_eq!(read(key.clone()), ["S(\"1\")", "S(\"9\")", "S(\"5\")", "S(\"13\")"]);
    assert_eq!(read(KeyCondition { range_equal: vec![n(1)], ..key.clone() }), ["S(\"5\")", "S(\"13\")"]);
    let range = Some(RangeCondition::Greater(n(0)));
    assert_eq!(read(KeyCondition { range_equal: vec![n(1)], range, ..key }), ["S(\"13\")"]);
}

fn create_by_who() -> TableChange {
    let who = KeyPart::new("who", KeyType::S);
    TableChange {
        attributes: vec![who.clone()],
        indexes: vec![IndexChange::Create(index("by-who", who, None, ProjectionKind::All))],
        ..TableChange::default()
    }
}

fn ids(house: &House, table: &Table) -> Vec<Item> {
    let (mut items, _) = house.query(table, &query("by-who", &all_of(s("ann")))).unwrap();
    items.sort_by_key(|item| format!("{:?}", item.get("id")));
    items
}

#[test]
fn an_index_made_later_is_filled_while_writes_go_on() {
    everywhere(|house| {
        let table = house.create(spec("T", false, None));
        let entry = |id: &str, v: i32| item([("id", s(id)), ("v", n(v)), ("who", s("ann"))]);
        for number in 0..300 {
            house.put(&table, entry(&format!("{number:03}"), 0));
        }
        // Of the wrong type, or longer than keys are: no entry, but no harm either.
        house.put(&table, item([("id", s("odd")), ("who", n(1))]));
        house.put(&table, item([("id", s("long")), ("who", s(&"a".repeat(66_000)))]));
        let updated = house.engine().update_table(&scope(), "T", create_by_who()).unwrap();
        assert_eq!((updated.global[0].status, updated.global[0].backfilling), (IndexStatus::Creating, true));
        refuses(
            house.query(&table, &query("by-who", &all_of(s("ann")))),
            ErrorKind::Validation,
            "Cannot read from backfilling global secondary index: by-who",
        );
        // Before the backfill gets there: a change, a removal, a new one.
        house.put(&table, entry("001", 7));
        house.delete(&table, id("002"));
        house.put(&table, entry("new", 7));
        house.update(&table, id("odd"), "SET v = :v", &[(":v", n(1))]);
        house.engine().maintain().unwrap();

        let mut expect: Vec<Item> = (0..300)
            .filter(|number| *number != 2)
            .map(|number| entry(&format!("{number:03}"), 7 * i32::from(number == 1)))
            .collect();
        expect.push(entry("new", 7));
        assert_eq!(ids(house, &table), expect);
        let described = house.engine().describe_table(&table).unwrap();
        let size: usize = expect.iter().map(Item::size_bytes).sum();
        assert_eq!((described.global[0].status, described.global[0].items), (IndexStatus::Active, 300));
        assert_eq!(described.global[0].bytes, size as u64);
        assert_eq!(described.attributes.len(), 2);

        let gone =
            TableChange { indexes: vec![IndexChange::Delete("by-who".into())], ..TableChange::default() };
        let updated = house.engine().update_table(&scope(), "T", gone).unwrap();
        assert_eq!(updated.global[0].status, IndexStatus::Deleting);
        let described = house.engine().describe_table(&table).unwrap();
        assert_eq!((described.global.len(), described.attributes.len()), (0, 1));
        house.engine().maintain().unwrap();
        let snapshot = house.engine().store().snapshot();
        let rows = snapshot.range(store::Space::Items, &[0], &[255], store::Order::Forward);
        assert_eq!(rows.count(), 302);
    });
}

#[test]
fn a_backfill_that_was_cut_off_begins_again() {
    everywhere(|house| {
        let table = house.create(spec("T", false, None));
        for number in 0..10 {
            house.put(&table, item([("id", s(&number.to_string())), ("who", s("ann"))]));
        }
        house.engine().update_table(&scope(), "T", create_by_who()).unwrap();
        house.put(&table, item([("id", s("0")), ("who", s("bob"))]));
        house.restart();
        house.engine().maintain().unwrap();
        let table = house.table("T");
        assert_eq!(ids(house, &table).len(), 9);
        assert_eq!(house.engine().describe_table(&table).unwrap().global[0].items, 10);
    });
}

#[test]
fn threads_fill_indexes_too() {
    let house = House::in_memory().with(|settings| settings.maintenance = engine::Maintenance::Thread);
    let table: Arc<Table> = house.create(spec("T", false, None));
    for number in 0..500 {
        house.put(&table, item([("id", s(&number.to_string())), ("who", s("ann"))]));
    }
    house.engine().update_table(&scope(), "T", create_by_who()).unwrap();
    while house.engine().describe_table(&table).unwrap().global[0].status != IndexStatus::Active {
        std::thread::yield_now();
    }
    assert_eq!(ids(&house, &table).len(), 500);
}
