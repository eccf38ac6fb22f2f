//! A cache of the most recently created values, with a limit on their total weight.

use std::io;
use std::sync::{Arc, Mutex};

use crate::parallel::lock;

/// The most recently created values, by key. Creation holds the lock, so that each value is created once.
#[derive(Debug)]
pub struct Recent<K, V> {
    /// Largest total weight. The last value stays in the cache regardless of its weight.
    limit: u64,
    held: Mutex<Vec<Held<K, V>>>,
}

#[derive(Debug)]
struct Held<K, V> {
    key: K,
    weight: u64,
    value: Arc<V>,
}

impl<K: PartialEq, V> Recent<K, V> {
    /// An empty cache.
    pub const fn new(limit: u64) -> Self {
        Self { limit, held: Mutex::new(Vec::new()) }
    }

    /// The cached value for a key. If it is missing, `make` creates it and returns its weight.
    pub fn get(&self, key: K, make: impl FnOnce() -> io::Result<(V, u64)>) -> io::Result<Arc<V>> {
        let mut held = lock(&self.held);
        let found = match held.iter().position(|one| one.key == key) {
            Some(place) => held.remove(place),
            None => {
                let (value, weight) = make()?;
                let value = Arc::new(value);
                while !held.is_empty() && held.iter().map(|one| one.weight).sum::<u64>() + weight > self.limit {
                    held.remove(0);
                }
                Held { key, weight, value }
            }
        };
        let value = Arc::clone(&found.value);
        held.push(found);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_are_made_once() {
        let (recent, mut made) = (Recent::new(2), Vec::new());
        for key in [1, 2, 1, 3, 1, 2] {
            let value = recent.get(key, || {
                made.push(key);
                Ok((key * 10, 1))
            });
            assert_eq!(*value.unwrap(), key * 10);
        }
        assert_eq!(made, [1, 2, 3, 2]);
    }

    #[test]
    fn what_fails_is_tried_again() {
        let recent: Recent<u64, u64> = Recent::new(2);
        assert!(recent.get(1, || Err(io::Error::other("no"))).is_err());
        assert_eq!(*recent.get(1, || Ok((7, 1))).unwrap(), 7);
    }
}
