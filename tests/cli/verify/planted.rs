//! Faults that were planted into honest values: `fanin verify --distribution` sees each and names it.

mod matrices;
mod values;

use super::verify;
use crate::common::Folder;

/// Values of a `.npy` file of `f32`.
fn read(folder: &Folder, name: &str) -> Vec<f32> {
    let bytes = folder.read(name);
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    bytes[start..].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// Puts other values into a `.npy` file of `f32`.
fn write(folder: &Folder, name: &str, values: &[f32]) {
    let mut bytes = folder.read(name);
    bytes.truncate(10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]])));
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    folder.write(name, bytes);
}

/// Draws a scheme in a shape of rows and columns, which fits it, plants a fault, and expects a report of it.
#[track_caller]
fn planted(scheme: &str, [rows, columns]: [usize; 2], plant: impl Fn(&mut [f32]), said: &str) {
    let folder = Folder::new();
    folder.done(&format!("init {scheme} {rows}x{columns} -q -o w.npy"));
    verify(&folder, &format!("w.npy --distribution --scheme {scheme}"), 0);
    let mut values = read(&folder, "w.npy");
    plant(&mut values);
    write(&folder, "w.npy", &values);
    let message = verify(&folder, &format!("w.npy --distribution --scheme {scheme}"), 1);
    assert!(message.contains(said), "{scheme} {rows}x{columns}: `{said}` is missing in\n{message}");
}
