//! The statements themselves: each is run both ways, and what it gives is compared.

use super::{Pair, Twins, literal};
use crate::tests::Bench;
use serde_json::{Map, Value as Json, json};
use world::Random;

const ROUNDS: u64 = 12;
const STEPS: usize = 300;
/// The table that statements are run on, and the one that expressions are.
const TABLES: [&str; 2] = ["Statements", "Expressions"];

#[test]
fn statements_do_what_their_expressions_do() {
    let mut outcomes = Map::new();
    for seed in 0..ROUNDS {
        let random = Random::from_seed(seed);
        let mut run = Run {
            bench: Bench::new(),
            twins: Twins { random, parameters: Vec::new(), values: Map::new() },
            seed,
        };
        for table in TABLES {
            run.bench.make(definition(table));
        }
        for _ in 0..STEPS {
            let outcome = run.step();
            let count = outcomes.get(&outcome).and_then(Json::as_u64).unwrap_or_default();
            outcomes.insert(outcome, json!(count + 1));
        }
        run.same_tables();
    }
    // All kinds of outcomes are met, or the steps are not what they should be.
    for kind in ["found", "empty", "done", "ConditionalCheckFailedException", "ValidationException"] {
        assert!(outcomes.get(kind).and_then(Json::as_u64) > Some(100), "{outcomes:?}");
    }
}

fn definition(table: &str) -> Json {
    let define = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    json!({
        "TableName": table,
        "AttributeDefinitions": [define("pk"), define("sk")],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

struct Run {
    bench: Bench,
    twins: Twins,
    seed: u64,
}

impl Run {
    fn step(&mut self) -> String {
        self.twins.begin();
        match self.twins.below(8) {
            0..2 => self.insert(),
            2..5 => self.update(),
            5 => self.delete(),
            _ => self.select(),
        }
    }

    fn key(&mut self) -> (&'static str, &'static str) {
        (self.twins.pick(&["p", "q"]), self.twins.pick(&["1", "2", "3"]))
    }

    fn execute(&self, statement: &str, more: Json) -> Json {
        let mut input = json!({ "Statement": statement });
        if !self.twins.parameters.is_empty() {
            input["Parameters"] = json!(self.twins.parameters);
        }
        merge(&mut input, more);
        self.bench.ask("ExecuteStatement", input)
    }

    fn express(&self, operation: &str, mut input: Json) -> Json {
        input["TableName"] = json!(TABLES[1]);
        if !self.twins.values.is_empty() {
            input["ExpressionAttributeValues"] = json!(self.twins.values);
        }
        self.bench.ask(operation, input)
    }

    /// Both are errors of one name, or neither is one and they give the same.
    fn compare(&self, statement: &str, given: &Json, twin: &Json, items: Json) -> String {
        let told = |what: &str| {
            format!("seed {} {what}: {statement} {:?}\n{given}\n{twin}", self.seed, self.twins.parameters)
        };
        let renamed = |answer: &Json| match answer["error"].as_str() {
            Some("DuplicateItemException") => Some("ConditionalCheckFailedException".to_owned()),
            other => other.map(str::to_owned),
        };
        let (left, right) = (renamed(given), renamed(twin));
        assert_eq!(left, right, "{}", told("outcome"));
        if let Some(error) = left {
            return error;
        }
        assert_eq!(given["Items"], items, "{}", told("items"));
        "done".to_owned()
    }

    fn insert(&mut self) -> String {
        let (pk, sk) = self.key();
        let mut item = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        for (name, value) in [
            ("n", self.twins.number()),
            ("t", self.twins.text()),
            ("s", self.twins.set()),
            ("l", json!({ "L": [self.twins.any()] })),
            ("z", json!({ "NULL": true })),
            ("m", json!({ "M": { "x": self.twins.any() } })),
        ] {
            if self.twins.below(4) > 0 {
                item[name] = value;
            }
        }
        self.twins.parameters.push(json!({ "M": item }));
        let statement = format!("INSERT INTO {} VALUE ?", TABLES[0]);
        let given = self.execute(&statement, json!({}));
        let twin = self
            .express("PutItem", json!({ "Item": item, "ConditionExpression": "attribute_not_exists(pk)" }));
        self.compare(&statement, &given, &twin, json!([]))
    }

    fn changes(&mut self) -> Pair {
        let twins = &mut self.twins;
        let (mut statement, mut clauses) = (Vec::new(), [const { Vec::new() }; 4]);
        let mut change = |number: usize, said: String, expressed: String| {
            statement.push(if number == 1 { format!("REMOVE {said}") } else { format!("SET {said}") });
            clauses[number].push(expressed);
        };
        if twins.below(2) == 0 {
            let by = twins.number();
            let sign = twins.pick(&["+", "-"]);
            let by = twins.value(by);
            change(0, format!("n = n {sign} {}", by.0), format!("n = n {sign} {}", by.1));
        }
        if twins.below(3) == 0 {
            let end = twins.any();
            let end = json!({ "L": [end] });
            let end = twins.value(end);
            change(0, format!("l = list_append(l, {})", end.0), format!("l = list_append(l, {})", end.1));
        }
        if twins.below(3) == 0 {
            let (set, which) = (twins.set(), twins.below(2) as usize);
            let set = twins.value(set);
            let function = ["set_add", "set_delete"][which];
            change(2 + which, format!("s = {function}(s, {})", set.0), format!("s {}", set.1));
        }
        match twins.below(4) {
            0 => change(1, "m.x".to_owned(), "m.x".to_owned()),
            1 => change(1, "z".to_owned(), "z".to_owned()),
            _ => {
                let value = twins.any();
                let value = twins.value(value);
                change(0, format!("t = {}", value.0), format!("t = {}", value.1));
            }
        }
        let words = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().zip(clauses);
        let expression = words.filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<String> =
            expression.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
        (statement.join(" "), expression.join(" "))
    }

    /// A key with perhaps a condition beside it, for the statement; and the condition for the expression.
    fn pinned(&mut self, pk: &str, sk: &str) -> (String, Option<String>) {
        let key = format!("pk = {} AND sk = {}", literal(&json!({ "S": pk })), literal(&json!({ "S": sk })));
        if self.twins.below(3) == 0 {
            return (key, None);
        }
        let (said, expressed) = self.twins.condition(2);
        (format!("{key} AND {said}"), Some(expressed))
    }

    fn update(&mut self) -> String {
        let (pk, sk) = self.key();
        let changes = self.changes();
        let (pinned, condition) = self.pinned(pk, sk);
        let (returning, values) = self.twins.pick(&[
            ("", "NONE"),
            (" RETURNING ALL OLD *", "ALL_OLD"),
            (" RETURNING ALL NEW *", "ALL_NEW"),
            (" RETURNING MODIFIED OLD *", "UPDATED_OLD"),
            (" RETURNING MODIFIED NEW *", "UPDATED_NEW"),
        ]);
        let statement = format!("UPDATE {} {} WHERE {pinned}{returning}", TABLES[0], changes.0);
        let given = self.execute(&statement, json!({}));
        let exists = "attribute_exists(pk)";
        let condition = condition.map_or(exists.to_owned(), |condition| format!("{exists} AND {condition}"));
        let twin = self.express(
            "UpdateItem",
            json!({
                "Key": { "pk": { "S": pk }, "sk": { "S": sk } },
                "UpdateExpression": changes.1,
                "ConditionExpression": condition,
                "ReturnValues": values,
            }),
        );
        self.compare(&statement, &given, &twin, returned(&twin))
    }

    fn delete(&mut self) -> String {
        let (pk, sk) = self.key();
        let (pinned, condition) = self.pinned(pk, sk);
        let statement = format!("DELETE FROM {} WHERE {pinned} RETURNING ALL OLD *", TABLES[0]);
        let given = self.execute(&statement, json!({}));
        let mut input = json!({ "Key": { "pk": { "S": pk }, "sk": { "S": sk } }, "ReturnValues": "ALL_OLD" });
        if let Some(condition) = condition {
            input["ConditionExpression"] = json!(format!("attribute_not_exists(pk) OR {condition}"));
        }
        let twin = self.express("DeleteItem", input);
        self.compare(&statement, &given, &twin, returned(&twin))
    }

    fn select(&mut self) -> String {
        let query = self.twins.below(2) == 0;
        let limit = 1 + self.twins.below(4);
        let mut input = json!({});
        let mut parts = Vec::new();
        if query {
            parts.push("pk = 'p'".to_owned());
            let mut keys = "pk = :pk".to_owned();
            self.twins.values.insert(":pk".to_owned(), json!({ "S": "p" }));
            if self.twins.below(2) == 0 {
                let operator = self.twins.pick(&["=", "<", ">="]);
                let sk = self.twins.value(json!({ "S": "2" }));
                parts.push(format!("sk {operator} {}", sk.0));
                keys = format!("{keys} AND sk {operator} {}", sk.1);
            }
            input["KeyConditionExpression"] = json!(keys);
        }
        if !query || self.twins.below(2) == 0 {
            let (said, expressed) = self.twins.condition(3);
            parts.push(said);
            input["FilterExpression"] = json!(expressed);
        }
        let mut statement = format!("SELECT * FROM {} WHERE {}", TABLES[0], parts.join(" AND "));
        if query && self.twins.below(2) == 0 {
            statement.push_str(" ORDER BY sk DESC");
            input["ScanIndexForward"] = json!(false);
        }
        let operation = if query { "Query" } else { "Scan" };
        input["Limit"] = json!(limit);
        let twin = self.pages(
            |run, more| run.express(operation, merged(&input, more)),
            "ExclusiveStartKey",
            "LastEvaluatedKey",
        );
        let given = self.pages(
            |run, more| run.execute(&statement, merged(&json!({ "Limit": limit }), more)),
            "NextToken",
            "NextToken",
        );
        let (given, twin) = match query {
            true => (given, twin),
            false => (in_order(given), in_order(twin)),
        };
        let outcome = self.compare(&statement, &given, &twin, twin["Items"].clone());
        match given["Items"].as_array().map(Vec::len) {
            Some(0) => "empty".to_owned(),
            Some(_) => "found".to_owned(),
            None => outcome,
        }
    }

    /// Asks page by page; the items of all of them, or the first error.
    fn pages(&self, ask: impl Fn(&Run, Json) -> Json, start: &str, next: &str) -> Json {
        let mut items = Vec::new();
        let mut more = json!({});
        loop {
            let answer = ask(self, more);
            if answer.get("error").is_some() {
                return answer;
            }
            items.extend(answer["Items"].as_array().cloned().unwrap_or_default());
            match answer.get(next) {
                Some(place) => more = json!({ start: place }),
                None => return json!({ "Items": items }),
            }
        }
    }

    fn same_tables(&self) {
        let [one, two] = TABLES.map(|table| self.bench.ask("Scan", json!({ "TableName": table })));
        assert_eq!(in_order(one), in_order(two), "seed {}", self.seed);
    }
}

fn merge(input: &mut Json, more: Json) {
    if let (Some(input), Json::Object(more)) = (input.as_object_mut(), more) {
        input.extend(more);
    }
}

fn merged(input: &Json, more: Json) -> Json {
    let mut input = input.clone();
    merge(&mut input, more);
    input
}

fn returned(twin: &Json) -> Json {
    twin.get("Attributes").map_or(json!([]), |attributes| json!([attributes]))
}

/// A scan's items, in an order that does not depend on where they lie.
fn in_order(mut answer: Json) -> Json {
    if let Some(items) = answer["Items"].as_array_mut() {
        items.sort_by_key(|item| format!("{}{}", item["pk"], item["sk"]));
    }
    answer
}
