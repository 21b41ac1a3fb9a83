//! How often a route may be called: a bucket of permits that fills again with time.

use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    pub per_second: f64,
    pub burst: f64,
}

impl Limit {
    /// A route's own settings before those of all; None where none says anything.
    pub fn of(own: Option<&Value>, all: Option<&Value>, rate: &str, burst: &str) -> Option<Limit> {
        let member = |name: &str| {
            let found = [own, all].into_iter().flatten().find_map(|settings| settings.get(name));
            found.and_then(Value::as_f64).filter(|number| *number >= 0.0)
        };
        let (rate, burst) = (member(rate), member(burst));
        if rate.is_none() && burst.is_none() {
            return None;
        }
        // What the account allows by itself.
        Some(Limit { per_second: rate.unwrap_or(10_000.0), burst: burst.unwrap_or(5_000.0) })
    }
}

/// How many buckets are kept before idle ones go.
const BUCKETS_MAX: usize = 10_000;

#[derive(Default)]
pub(super) struct Throttle {
    /// By route: permits left, and when that was.
    buckets: Mutex<HashMap<String, (f64, Duration)>>,
}

impl Throttle {
    pub fn lets(&self, route: &str, limit: Option<Limit>, now: Duration) -> bool {
        let Some(limit) = limit else { return true };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(route) {
            if buckets.len() >= BUCKETS_MAX {
                // Who has not called for a minute begins anew.
                buckets.retain(|_, (_, since)| now.saturating_sub(*since) < Duration::from_secs(60));
            }
            buckets.insert(route.to_owned(), (limit.burst, now));
        }
        let Some((left, since)) = buckets.get_mut(route) else { return true };
        let gained = now.saturating_sub(*since).as_secs_f64() * limit.per_second;
        (*left, *since) = ((*left + gained).min(limit.burst), now);
        if *left < 1.0 {
            return false;
        }
        *left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Throttle};
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn permits_come_back_with_time() {
        let (throttle, limit) = (Throttle::default(), Some(Limit { per_second: 2.0, burst: 2.0 }));
        let lets = |millis| throttle.lets("r", limit, Duration::from_millis(millis));
        assert_eq!([lets(0), lets(0), lets(0)], [true, true, false]);
        assert_eq!([lets(400), lets(500), lets(500)], [false, true, false]);
        assert_eq!([lets(9_000), lets(9_000), lets(9_000)], [true, true, false]);
        assert!(throttle.lets("other", limit, Duration::ZERO));
        assert!((0..9).all(|_| throttle.lets("free", None, Duration::ZERO)));
    }

    #[test]
    fn a_routes_own_settings_go_first() {
        let (own, all) = (json!({"b": 0}), json!({"r": 5.5, "b": 7}));
        let limit = |own, all| Limit::of(own, all, "r", "b");
        assert_eq!(limit(Some(&own), Some(&all)), Some(Limit { per_second: 5.5, burst: 0.0 }));
        assert_eq!(limit(None, Some(&json!({}))), None);
    }
}
