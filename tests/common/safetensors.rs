//! Files of safetensors with tensors of any type.

use serde_json::{Value, json};

use crate::common::hostile;

/// A safetensors file of tensors of any types.
pub(crate) fn safetensors(tensors: &[(&str, &str, Vec<u64>, Vec<u8>)]) -> Vec<u8> {
    let (mut header, mut values) = (serde_json::Map::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let begin = values.len();
        values.extend(bytes);
        header.insert((*name).into(), json!({"dtype": dtype, "shape": shape, "data_offsets": [begin, values.len()]}));
    }
    hostile::safetensors(&Value::from(header).to_string(), &values)
}

/// The type, shape and bytes of a tensor in a safetensors file.
#[track_caller]
pub(crate) fn held(file: &[u8], name: &str) -> (String, Value, Vec<u8>) {
    let length = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
    let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let tensor = &header[name];
    let offset =
        |number: usize| 8 + length + usize::try_from(tensor["data_offsets"][number].as_u64().unwrap()).unwrap();
    let bytes = file[offset(0)..offset(1)].to_vec();
    (tensor["dtype"].as_str().unwrap().into(), tensor["shape"].clone(), bytes)
}
