//! Arrays as `NumPy` reads them: any member of an archive, any spelling of a type; and headers of safetensors as its library does.

use std::io::{Cursor, Write};

use fanin::reader::Contents;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::temporary::Temporary;

/// A `.npy` array of that type and so many bytes of values.
fn npy(descr: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), values].concat()
}

fn archive(members: &[(&str, CompressionMethod, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, method, content) in members {
        let options = SimpleFileOptions::default().compression_method(*method);
        if name.ends_with('/') {
            writer.add_directory(*name, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// Names with their types, and the notes, of a file with that content.
fn found(content: &[u8]) -> Result<(Vec<(String, String)>, String), String> {
    let file = Temporary::of(content);
    let contents = Contents::open(&file.0).map_err(|error| error.to_string())?;
    let entries = contents.entries.iter().map(|entry| (entry.name.clone(), entry.type_word.clone()));
    Ok((entries.collect(), contents.notes.join("\n")))
}

#[track_caller]
fn refused(content: &[u8], words: &[&str]) {
    let error = found(content).unwrap_err();
    assert!(words.iter().all(|word| error.contains(word)), "{words:?} are not in {error}");
}

#[test]
fn members_that_are_no_arrays_of_numbers_are_passed_over_with_a_note() {
    use CompressionMethod::{Bzip2, Deflated, Stored};
    let floats = npy("'<f4'", "(2,)", &[0; 8]);
    let (objects, words) = (npy("'|O'", "(1,)", b"a pickle"), npy("'<U2'", "(1,)", &[0; 8]));
    let (entries, notes) = found(&archive(&[
        ("w", Stored, &floats),
        ("layer/", Stored, b""),
        ("layer/b.npy", Bzip2, &floats),
        ("c.npy", Deflated, &floats),
        ("readme.txt", Deflated, b"This is no array."),
        ("short", Stored, b"x"),
        ("__MACOSX/._w.npy", Stored, b"\0\x05\x16\x07"),
        ("labels.npy", Deflated, &objects),
        ("words", Bzip2, &words),
    ]))
    .unwrap();
    let f32s = ["w", "layer/b", "c"].map(|name| (name.to_string(), "f32".to_string()));
    assert_eq!(entries, f32s);
    for part in ["`readme.txt`, `short`, `__MACOSX/._w.npy`", "`labels` is skipped", "objects", "`words`", "text"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    refused(&archive(&[("w", Stored, &floats), ("w.npy", Stored, &floats)]), &["two members", "`w`"]);
    refused(&archive(&[("w.npy", Stored, b"no array")]), &["w.npy", "not a .npy file"]);
    refused(&archive(&[("a.txt", Stored, b"1 2"), ("b/", Stored, b"")]), &["it holds no arrays", "`a.txt`"]);
}

#[test]
fn values_of_compressed_members_are_those_that_were_packed() {
    let values: Vec<u8> = (0..40_000u32).flat_map(|n| (f64::from(n) / 8.0).to_le_bytes()).collect();
    let content = npy("'<f8'", "(200, 200)", &values);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated, CompressionMethod::Bzip2] {
        let packed = archive(&[("readme", CompressionMethod::Stored, b"x"), ("w.npy", method, &content)]);
        let file = Temporary::of(&packed);
        let contents = Contents::open(&file.0).unwrap();
        let mut read = Vec::new();
        contents.read(0, &mut |chunk| read.extend_from_slice(chunk)).unwrap();
        assert!(read.into_iter().eq((0..40_000).map(|n| f64::from(n) / 8.0)), "{method}");
        // A bit of the packed values: the checksum or the decompression finds it.
        let mut damaged = packed;
        let place = damaged.len() / 2;
        damaged[place] ^= 4;
        let file = Temporary::of(&damaged);
        assert!(Contents::open(&file.0).and_then(|contents| contents.read(0, &mut |_| ())).is_err(), "{method}");
    }
}

#[test]
fn a_dictionary_of_gigabytes_is_refused_before_it_is_made() {
    // Version, size of the properties, properties, size of the dictionary.
    let content = [&[9, 20, 5, 0, 0x5d][..], &u32::MAX.to_le_bytes(), &[0; 20]].concat();
    let mut bytes = archive(&[("w.npy", CompressionMethod::Stored, &content)]);
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    (bytes[8], bytes[directory + 10]) = (14, 14);
    refused(&bytes, &["w.npy", "dictionary of 4294967295 bytes"]);
}

#[test]
fn arrays_without_numbers_are_refused_by_what_they_hold() {
    for (descr, size, words) in [
        ("'|O'", 5, ["Python objects", "a.astype('f8')"]),
        ("[('a', '<f4'), ('b', '<i2')]", 6, ["structured array", "a['field']"]),
        ("'<U3'", 12, ["text", "a.astype('f8')"]),
        ("'|S4'", 4, ["text", "a.astype('f8')"]),
        ("'<M8[ns]'", 8, ["dates", "a.astype('i8')"]),
        ("'<m8[s]'", 8, ["times", "a.astype('i8')"]),
    ] {
        let array = npy(descr, "(1,)", &vec![0; size]);
        refused(&array, &words);
        refused(&archive(&[("x.npy", CompressionMethod::Stored, &array)]), &[&["`x` holds"], &words[..]].concat());
    }
}

#[test]
fn headers_have_any_spelling_of_a_type_that_numpy_takes() {
    for (descr, size, word) in [
        ("'f4'", 4, "f32"),
        ("'=f4'", 4, "f32"),
        ("'float32'", 4, "f32"),
        ("'>f8'", 8, "f64"),
        ("'float'", 8, "f64"),
        ("'half'", 2, "f16"),
        ("'|u1'", 1, "u8"),
        ("'<u1'", 1, "u8"),
        ("'uint8'", 1, "u8"),
        ("'>i4'", 4, "i32"),
        ("'int64'", 8, "i64"),
        ("'bool'", 1, "bool"),
        ("'?'", 1, "bool"),
        ("'complex64'", 8, "c64"),
    ] {
        let (entries, _) = found(&npy(descr, "(3,)", &vec![0; 3 * size])).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(entries[0].1, word, "{descr}");
    }
    for version in [2, 3] {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}";
        let length = u32::try_from(header.len()).unwrap().to_le_bytes();
        let bytes = [b"\x93NUMPY", &[version, 0][..], &length, header.as_bytes(), &[0; 4]].concat();
        assert_eq!(found(&bytes).unwrap().0[0].1, "f32", "version {version}");
    }
}

/// Headers over 16 bytes of values; those of the second kind the library of safetensors 0.8 reads too, yet they are refused: a name
/// that stands twice is two files in one, and a header begins with its brace.
#[test]
fn safetensors_headers_are_read_as_its_library_does() {
    let tensor = r#""dtype":"F32","shape":[4],"data_offsets":[0,16]"#;
    let content = |header: &str| {
        let header = header.replace("TENSOR", tensor);
        [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 16]].concat()
    };
    for header in [
        r#"{"a":{TENSOR}}"#,
        r#"{"__metadata__":null,"a":{TENSOR}}"#,
        r#"{"__metadata__":{},"a":{TENSOR}}"#,
        r#"{"a":{TENSOR,"x":1}}"#,
        r#"{"a":{"x":{"y":[1,null]},TENSOR}}"#,
        r#"{"a":{TENSOR,"x":1,"x":2}}"#,
        r#"{"a":["F32",[4],[0,16]]}"#,
        r#"{ "a" : {TENSOR} }    "#,
        r#"{"a":{TENSOR},"e":{"dtype":"F32","shape":[0],"data_offsets":[16,16]}}"#,
    ] {
        let (entries, notes) = found(&content(header)).unwrap_or_else(|error| panic!("{header}: {error}"));
        assert_eq!((entries[0].0.as_str(), entries[0].1.as_str(), notes.as_str()), ("a", "f32", ""), "{header}");
    }
    for header in [
        r#"{"a":{TENSOR},"a":{TENSOR}}"#,
        r#" {"a":{TENSOR}}"#,
        r#"{"__metadata__":{"a":1},"a":{TENSOR}}"#,
        r#"{"__metadata__":{"a":null},"a":{TENSOR}}"#,
        r#"{"__metadata__":[],"a":{TENSOR}}"#,
        r#"{"__metadata__":null,"__metadata__":{"a":"b"},"a":{TENSOR}}"#,
        r#"{"a":{TENSOR,"dtype":"F32"}}"#,
        r#"{"a":null,"b":{TENSOR}}"#,
        r#"{"a":{"dtype":"F32","data_offsets":[0,16]}}"#,
        r#"{"a":{"dtype":"f32","shape":[4],"data_offsets":[0,16]}}"#,
        r#"{"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}}"#,
        r#"{"a":{TENSOR},}"#,
    ] {
        assert!(found(&content(header)).is_err(), "{header}");
    }
}
