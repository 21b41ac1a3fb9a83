//! Rotation: who makes new values of a secret, how often, and when one is asked for at once.

use super::Secrets;
use super::cron::Cron;
use super::list::refuse;
use super::secret::{CURRENT, PENDING, Secret, Version, bad_parameter, bad_request};
use super::values::no_value;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, text};
use wire::ServiceError;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 86_400;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rotation {
    pub enabled: bool,
    /// The function's ARN.
    pub function: String,
    pub rules: Rules,
    pub last_s: Option<f64>,
    /// When the next one is due.
    pub next_s: Option<u64>,
    /// One that has begun and not ended.
    pub running: Option<Running>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    /// The version that becomes the current one.
    pub token: String,
    /// How often it has failed.
    pub failures: u32,
    /// When it is tried, again perhaps.
    pub try_s: u64,
}

/// How often. Nothing of it: only when asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rules {
    pub days: Option<u64>,
    pub expression: Option<String>,
    /// Of the window in which it may begin; it begins with the window.
    pub duration: Option<String>,
}

impl Rules {
    pub fn parse(input: &Value) -> Result<Rules, ServiceError> {
        let rules = Rules {
            days: integer(input, "AutomaticallyAfterDays").map(|days| days.max(0) as u64),
            expression: text(input, "ScheduleExpression").map(str::to_owned),
            duration: text(input, "Duration").map(str::to_owned),
        };
        if rules.days.is_some() && rules.expression.is_some() {
            return Err(bad_parameter(
                "You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules.",
            ));
        }
        if rules.days.is_some_and(|days| !(1..=1_000).contains(&days)) {
            return Err(bad_parameter(
                "RotationRules.AutomaticallyAfterDays must be between 1 and 1000 days.",
            ));
        }
        if let Some(expression) = &rules.expression {
            Schedule::parse(expression)?;
        }
        let hours =
            rules.duration.as_ref().map(|text| text.strip_suffix('h').and_then(|text| text.parse().ok()));
        if hours.is_some_and(|hours: Option<u64>| !hours.is_some_and(|hours| (1..=24).contains(&hours))) {
            return Err(bad_parameter("RotationRules.Duration is a number of hours, such as 3h."));
        }
        Ok(rules)
    }

    /// When the next rotation after this moment is due.
    pub fn after(&self, now_s: u64) -> Option<u64> {
        if let Some(days) = self.days {
            return Some(now_s + days * DAY_S);
        }
        match Schedule::parse(self.expression.as_deref()?).ok()? {
            Schedule::Rate(period_s) => Some(now_s + period_s),
            Schedule::Cron(cron) => cron.after(now_s),
        }
    }

    fn shown(&self) -> Value {
        object([
            ("AutomaticallyAfterDays", self.days.map(Value::from)),
            ("ScheduleExpression", self.expression.as_deref().map(Value::from)),
            ("Duration", self.duration.as_deref().map(Value::from)),
        ])
    }
}

/// A `ScheduleExpression`.
enum Schedule {
    /// So many seconds after the last one: `rate(10 days)`, `rate(4 hours)`.
    Rate(u64),
    Cron(Cron),
}

impl Schedule {
    fn parse(expression: &str) -> Result<Schedule, ServiceError> {
        if let Some(cron) = Cron::parse(expression) {
            return Ok(Schedule::Cron(cron));
        }
        let inner = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
        let (number, unit) = inner.and_then(|inner| inner.trim().split_once(' ')).unwrap_or_default();
        match (number.parse::<u64>().ok(), unit.trim()) {
            (Some(days @ 1..=999), "day" | "days") => Ok(Schedule::Rate(days * DAY_S)),
            (Some(hours @ 4..=999), "hour" | "hours") => Ok(Schedule::Rate(hours * HOUR_S)),
            _ => Err(bad_parameter(format!(
                "{expression} is no schedule: rate(1 day) to rate(999 days), rate(4 hours) and more, cron(0 8 * * ? *)"
            ))),
        }
    }
}

impl Rotation {
    /// What a description says of it.
    pub fn shown(&self) -> [(&'static str, Option<Value>); 5] {
        [
            ("RotationEnabled", Some(self.enabled.into())),
            ("RotationLambdaARN", Some(self.function.as_str().into())),
            ("RotationRules", Some(self.rules.shown())),
            ("LastRotatedDate", self.last_s.map(Value::from)),
            ("NextRotationDate", self.next_s.filter(|_| self.enabled).map(Value::from)),
        ]
    }
}

impl Secret {
    /// Begins a rotation: a version that has no value yet is to become the current one.
    pub fn begin_rotation(&mut self, token: &str, now_s: f64) {
        let Some(rotation) = &mut self.rotation else { return };
        rotation.running = Some(Running { token: token.to_owned(), failures: 0, try_s: now_s as u64 });
        if self.versions.contains_key(token) {
            self.attach(token, PENDING);
        } else {
            self.add(token, Version::empty(now_s), &[PENDING.to_owned()]);
        }
    }
}

impl Secrets {
    pub(super) async fn rotate_secret(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["ExternalSecretRotationMetadata", "ExternalSecretRotationRoleArn"])?;
        let (token, now_s) = (self.token(call, input, bad_parameter)?, self.now_s());
        let at_once = input.get("RotateImmediately").and_then(Value::as_bool).unwrap_or(true);
        let rules = input.get("RotationRules").map(Rules::parse).transpose()?;
        let function = text(input, "RotationLambdaARN");
        if let Some(arn) = function {
            let (_, secret) = self.find(call, text(input, "SecretId").unwrap_or_default())?;
            self.rotor()?.check(&call.caller, arn, &secret.arn)?;
        }
        // A rotation that is not done is tried again, and the caller told.
        let told = self
            .change(call, input, |_, secret| {
                secret.refuse_deleted()?;
                if secret.with_stage(CURRENT).is_none() {
                    return Err(no_value(&format!("staging label: {CURRENT}")));
                }
                let before = secret.rotation.take();
                let function =
                    function.map(str::to_owned).or(before.as_ref().map(|one| one.function.clone()));
                let function = function.ok_or_else(no_function)?;
                let rules =
                    rules.clone().or(before.as_ref().map(|one| one.rules.clone())).unwrap_or_default();
                let next_s = rules.after(now_s as u64);
                let last_s = before.as_ref().and_then(|one| one.last_s);
                let running = before.and_then(|one| one.running);
                let mut rotation = Rotation { enabled: true, function, rules, last_s, next_s, running };
                let again =
                    at_once && rotation.running.as_ref().is_some_and(|running| running.token != token);
                if let Some(running) = &mut rotation.running {
                    (running.failures, running.try_s) = (0, now_s as u64);
                }
                let begins = at_once && rotation.running.is_none();
                secret.rotation = Some(rotation);
                if begins {
                    secret.begin_rotation(&token, now_s);
                }
                if again {
                    return Ok(Err(bad_request(
                        "A previous rotation isn't complete. That rotation will be reattempted.",
                    )));
                }
                Ok(Ok(object([
                    ("ARN", Some(secret.arn.as_str().into())),
                    ("Name", Some(secret.name.as_str().into())),
                    ("VersionId", at_once.then(|| token.as_str().into())),
                ])))
            })
            .await?;
        self.rotor()?.wake();
        told
    }

    /// What has begun is left as it is, and not tried again.
    pub(super) async fn cancel_rotate_secret(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, input, |_, secret| {
            secret.refuse_deleted()?;
            let rotation = secret.rotation.as_mut().ok_or_else(no_function)?;
            (rotation.enabled, rotation.running) = (false, None);
            Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
        })
        .await
    }
}

fn no_function() -> ServiceError {
    bad_request("No Lambda rotation function ARN is associated with this secret.")
}

#[cfg(test)]
mod tests {
    use super::{DAY_S, HOUR_S, Rules};
    use serde_json::json;

    #[test]
    fn rules_say_how_often() {
        let after = |input| Rules::parse(&input).map(|rules| rules.after(0)).map_err(|error| error.message);
        for (input, expected) in [
            (json!({}), None),
            (json!({"AutomaticallyAfterDays": 30, "Duration": "3h"}), Some(30 * DAY_S)),
            (json!({"ScheduleExpression": "rate(10 days)"}), Some(10 * DAY_S)),
            (json!({"ScheduleExpression": "rate(4 hours)"}), Some(4 * HOUR_S)),
            (json!({"ScheduleExpression": "cron(0 8 * * ? *)"}), Some(8 * HOUR_S)),
        ] {
            assert_eq!(after(input.clone()), Ok(expected), "{input}");
        }
        for input in [
            json!({"AutomaticallyAfterDays": 1001}),
            json!({"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"}),
            json!({"ScheduleExpression": "rate(1 hour)"}),
            json!({"ScheduleExpression": "cron(30 8 * * ? *)"}),
            json!({"Duration": "25h"}),
        ] {
            assert!(after(input.clone()).is_err(), "{input}");
        }
    }
}
