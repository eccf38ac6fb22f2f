//! The types of elements that files hold: those that are drawn, and others that are only kept.

use super::DType;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// One that schemes draw.
    Drawn(DType),
    /// Another, whose values are copied as they are.
    Stored(&'static Stored),
}

/// A type that no scheme draws.
#[derive(Debug, PartialEq, Eq)]
pub struct Stored {
    /// The word in recipes and reports: that of safetensors, in small letters.
    pub word: &'static str,
    /// `NumPy`'s word, where it has one.
    pub numpy: Option<&'static str>,
    /// The size of an element in bits.
    pub bits: u64,
}

const fn stored(word: &'static str, numpy: Option<&'static str>, bits: u64) -> Stored {
    Stored { word, numpy, bits }
}

/// Every type that is kept and not drawn: those of safetensors.
pub const STORED: &[Stored] = &[
    stored("u64", Some("<u8"), 64),
    stored("i64", Some("<i8"), 64),
    stored("c64", Some("<c8"), 64),
    stored("u32", Some("<u4"), 32),
    stored("i32", Some("<i4"), 32),
    stored("u16", Some("<u2"), 16),
    stored("i16", Some("<i2"), 16),
    stored("f8_e8m0", None, 8),
    stored("f8_e4m3", None, 8),
    stored("f8_e5m2", None, 8),
    stored("i8", Some("|i1"), 8),
    stored("u8", Some("|u1"), 8),
    stored("f6_e3m2", None, 6),
    stored("f6_e2m3", None, 6),
    stored("f4", None, 4),
    stored("bool", Some("|b1"), 8),
];

impl Element {
    /// The type of that word of recipes.
    pub fn of_word(word: &str) -> Option<Self> {
        let drawn = DType::ALL.into_iter().find(|dtype| dtype.word() == word).map(Self::Drawn);
        drawn.or_else(|| STORED.iter().find(|stored| stored.word == word).map(Self::Stored))
    }

    /// The type of that word of safetensors.
    pub fn of_safetensors(word: &str) -> Option<Self> {
        // Its words are all in capitals.
        Self::of_word(&word.to_ascii_lowercase()).filter(|_| !word.contains(|c: char| c.is_ascii_lowercase()))
    }

    /// The type, none that is drawn, of that word of `NumPy`.
    pub fn of_numpy(word: &str) -> Option<Self> {
        STORED.iter().find(|stored| stored.numpy == Some(word)).map(Self::Stored)
    }

    /// The word in recipes and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drawn(dtype) => dtype.word(),
            Self::Stored(stored) => stored.word,
        }
    }

    /// The size of an element in bits.
    pub fn bits(self) -> u64 {
        match self {
            Self::Drawn(dtype) => dtype.size() * 8,
            Self::Stored(stored) => stored.bits,
        }
    }

    /// The size of as many elements in bytes; of less than a byte each, they fill whole bytes together.
    pub fn bytes(self, count: u64) -> u64 {
        count * self.bits() / 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_again() {
        let drawn = DType::ALL.into_iter().map(Element::Drawn);
        for element in drawn.chain(STORED.iter().map(Element::Stored)) {
            assert_eq!(Element::of_word(element.word()), Some(element));
            assert_eq!(Element::of_safetensors(&element.word().to_uppercase()), Some(element));
            assert_eq!(Element::of_safetensors(element.word()), None);
        }
        for stored in STORED {
            assert!(stored.numpy.is_none_or(|word| Element::of_numpy(word) == Some(Element::Stored(stored))));
        }
        assert_eq!(Element::of_word("f31"), None);
    }
}
