//! Passwords that nobody can guess.

use super::secret::bad_parameter;
use serde_json::{Value, json};
use servicekit::call::Answer;
use servicekit::fields::{integer, text};
use world::World;

const LENGTH: i64 = 32;
const LENGTH_MAX: i64 = 4_096;
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

pub(super) fn random(world: &World, input: &Value) -> Answer {
    let asked = |member: &str| input.get(member).and_then(Value::as_bool);
    let length = integer(input, "PasswordLength").unwrap_or(LENGTH);
    if !(1..=LENGTH_MAX).contains(&length) {
        return Err(bad_parameter(format!("PasswordLength must be between 1 and {LENGTH_MAX}.")));
    }
    let excluded = text(input, "ExcludeCharacters").unwrap_or_default();
    let classes = [
        (LOWER, asked("ExcludeLowercase") != Some(true)),
        (UPPER, asked("ExcludeUppercase") != Some(true)),
        (DIGITS, asked("ExcludeNumbers") != Some(true)),
        (PUNCTUATION, asked("ExcludePunctuation") != Some(true)),
        (" ", asked("IncludeSpace") == Some(true)),
    ];
    let classes: Vec<Vec<char>> = classes
        .into_iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(class, _)| class.chars().filter(|c| !excluded.contains(*c)).collect())
        .filter(|class: &Vec<char>| !class.is_empty())
        .collect();
    let all: Vec<char> = classes.iter().flatten().copied().collect();
    if all.is_empty() {
        return Err(bad_parameter("Every character is excluded: a password needs some."));
    }
    let one_of = |class: &[char]| class[world.below_secret(class.len() as u32) as usize];
    let mut password: Vec<char> = Vec::new();
    if asked("RequireEachIncludedType") != Some(false) {
        if classes.len() > length as usize {
            return Err(bad_parameter("Password length is too short based on the required types."));
        }
        password.extend(classes.iter().map(|class| one_of(class)));
    }
    while password.len() < length as usize {
        password.push(one_of(&all));
    }
    // The required ones should not stand at the front.
    for at in (1..password.len()).rev() {
        password.swap(at, world.below_secret(at as u32 + 1) as usize);
    }
    Ok(json!({ "RandomPassword": password.into_iter().collect::<String>() }))
}
