//! Tensors that are copied unchanged from a file.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::StoredTensor;
use crate::text;

/// A copied tensor.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Identity of its values, for provenance.
    pub identity: CopiedIdentity,
    /// Values in their file.
    pub values: StoredTensor,
}

/// Identity of a copied tensor's values, in provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedIdentity {
    /// SHA-256 of the values, little-endian and in C order, in hexadecimal.
    pub sha256: String,
}

/// Number of elements hashed at a time; a multiple of 8, so that packed elements fill whole bytes.
const CHUNK: u64 = 1 << 17;

impl Copied {
    /// Reads the values once, for their hash.
    pub fn new(values: StoredTensor) -> Result<Self> {
        Ok(Self { identity: CopiedIdentity { sha256: values.sha256()? }, values })
    }
}

impl StoredTensor {
    /// SHA-256 of the current values, little-endian and in C order, in hexadecimal.
    pub fn sha256(&self) -> Result<String> {
        let mut hash = Sha256::new();
        self.each(CHUNK, &mut |bytes| hash.update(bytes))?;
        Ok(text::hex(&hash.finalize()))
    }
}
