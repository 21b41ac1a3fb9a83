use crate::support::*;
use engine::{
    Attributes, Consistency, Consumed, IndexKind, IndexUnits, KeyCondition, KeyPart, ProjectionKind, Query,
    Scan,
};
use model::key::KeyType;
use store::Order;

fn units(consumed: &Consumed) -> (f64, Vec<(String, f64)>) {
    let index = |index: &IndexUnits| (index.name.to_string(), index.units);
    (consumed.table, consumed.indexes.iter().map(index).collect())
}

#[test]
fn writes_count_by_the_kilobyte_of_the_larger_image() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, None));
    let sized = |bytes: usize| item([("id", s("a")), ("x", s(&"x".repeat(bytes - 4)))]);
    assert_eq!(house.put(&table, sized(1024)).consumed.table, 1.0);
    assert_eq!(house.put(&table, sized(1025)).consumed.table, 2.0);
    assert_eq!(house.put(&table, sized(10)).consumed.table, 2.0);
    assert_eq!(house.put(&table, sized(10)).consumed.table, 1.0);
    assert_eq!(house.delete(&table, id("nobody")).consumed.table, 1.0);
}

#[test]
fn index_writes_count_what_they_touch() {
    let house = House::in_memory();
    let mut wanted = spec("T", false, None);
    let who = KeyPart::new("who", KeyType::S);
    wanted.attributes.push(who.clone());
    wanted.global = vec![index("by-who", who, None, ProjectionKind::KeysOnly)];
    let table = house.create(wanted);
    let put = |who: Option<&str>, x: i32| {
        let mut item = item([("id", s("a")), ("x", n(x))]);
        if let Some(who) = who {
            item.insert("who", s(who));
        }
        units(&house.put(&table, item).consumed)
    };
    let touched = |units: f64| (1.0, vec![("by-who".to_owned(), units)]);
    assert_eq!(put(None, 1), (1.0, vec![]));
    assert_eq!(put(Some("ann"), 1), touched(1.0));
    // Nothing that the index holds.
    assert_eq!(put(Some("ann"), 2), (1.0, vec![]));
    // One entry out, one in.
    assert_eq!(put(Some("bob"), 2), touched(2.0));
    assert_eq!(put(None, 2), touched(1.0));
}

#[test]
fn reads_count_by_four_kilobytes() {
    let house = House::in_memory();
    let mut wanted = spec("T", true, None);
    let when = KeyPart::new("when", KeyType::N);
    wanted.attributes.push(when.clone());
    wanted.local = vec![index("by-when", wanted.key.hash[0].clone(), Some(when), ProjectionKind::KeysOnly)];
    let table = house.create(wanted);
    for at in ["1", "2", "3"] {
        house
            .put(&table, item([("at", s(at)), ("id", s("a")), ("when", n(at)), ("x", s(&"x".repeat(3000)))]));
    }
    let key = table.key(id_at("a", "1").view()).unwrap();
    let get = |consistency| house.engine().get(&table, &key, consistency).unwrap().consumed.table;
    assert_eq!(
        [Consistency::Eventual, Consistency::Strong, Consistency::Transactional].map(get),
        [0.5, 1.0, 2.0]
    );
    let condition = KeyCondition { hash: vec![s("a")], range_equal: vec![], range: None };
    let mut query = Query {
        index: None,
        key: &condition,
        filter: None,
        attributes: Attributes::Projected,
        order: Order::Forward,
        limit: None,
        start: None,
        consistency: Consistency::Strong,
    };
    // The sum is rounded, not each.
    assert_eq!(units(&house.query(&table, &query).unwrap().1.consumed), (3.0, vec![]));
    query.index = Some("by-when");
    assert_eq!(units(&house.query(&table, &query).unwrap().1.consumed), (0.0, vec![("by-when".into(), 1.0)]));
    // What is fetched from the table is rounded each.
    query.attributes = Attributes::All;
    let (items, page) = house.query(&table, &query).unwrap();
    assert!(items.iter().all(|item| item.contains("x")));
    assert_eq!(units(&page.consumed), (3.0, vec![("by-when".into(), 1.0)]));
    assert_eq!(table.index("by-when").unwrap().kind(), IndexKind::Local);
    let nothing = KeyCondition { hash: vec![s("z")], range_equal: vec![], range: None };
    query = Query { key: &nothing, index: None, consistency: Consistency::Eventual, ..query };
    assert_eq!(house.query(&table, &query).unwrap().1.consumed.table, 0.5);
    assert_eq!(house.scan(&table, &Scan::default()).unwrap().1.consumed.table, 1.5);
}
