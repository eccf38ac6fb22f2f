//! Tensors that are copied unchanged from a file.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::StoredTensor;
use crate::text;

/// A tensor that is copied.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The identity of its values.
    pub identity: CopiedIdentity,
    /// The values in their file.
    pub values: StoredTensor,
}

/// The identity of the values of a copied tensor, in provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedIdentity {
    /// The SHA-256 of its values, little-endian and in C order, in hexadecimal.
    pub sha256: String,
}

/// The number of elements that are hashed at a time; a multiple of 8, so that elements of less than a byte make whole ones.
const CHUNK: u64 = 1 << 17;

impl Copied {
    /// The values, which are read once for their hash.
    pub fn new(values: StoredTensor) -> Result<Self> {
        Ok(Self { identity: CopiedIdentity { sha256: values.sha256()? }, values })
    }
}

impl StoredTensor {
    /// The SHA-256 of its values, little-endian and in C order, in hexadecimal.
    pub fn sha256(&self) -> Result<String> {
        let mut hash = Sha256::new();
        self.each(CHUNK, &mut |bytes| hash.update(bytes))?;
        Ok(text::hex(&hash.finalize()))
    }
}
