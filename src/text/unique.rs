//! JSON objects with unique keys. (For duplicates `serde_json` takes the last value, other readers the first, so one file could have two
//! meanings.)

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

/// The maximum number of tensors of a file, each with an entry.
const MAX_ENTRIES: usize = 1 << 20;

/// Values with their names, in the order of the text.
#[derive(Debug)]
pub(crate) struct Unique<T>(pub(crate) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

struct Pairs<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
    type Value = Unique<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unique<T>, A::Error> {
        let (mut names, mut pairs) = (HashSet::new(), Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            // One more than tensors, for their metadata.
            if pairs.len() > MAX_ENTRIES {
                return Err(A::Error::custom("more than 2^20 entries"));
            }
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("two entries are named `{name}`")));
            }
            pairs.push((name, map.next_value()?));
        }
        Ok(Unique(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once() {
        let read = |text| serde_json::from_str::<Unique<u8>>(text);
        assert_eq!(read(r#"{"b":1,"a":2}"#).unwrap().0, [("b".into(), 1), ("a".into(), 2)]);
        assert!(read(r#"{"a":1,"b":1,"a":1}"#).is_err());
        assert!(read(r#"{"a":1,"\u0061":1}"#).is_err(), "an escape spells the same name");
    }
}
