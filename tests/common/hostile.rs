//! Files that nobody should write, made by hand: what is wrong, and the bytes.

pub(crate) mod pickles;
pub(crate) mod zips;

pub(crate) type Cases = Vec<(String, Vec<u8>)>;

/// Files that must be refused, by format.
pub(crate) fn all() -> Vec<(&'static str, Cases)> {
    vec![
        ("any", unknown()),
        ("npy", npy_files()),
        ("safetensors", safetensors_files()),
        ("json", json_files()),
        ("npz", zips::refused()),
        ("pt", pickles::refused()),
    ]
}

fn named<const N: usize>(cases: [(&str, Vec<u8>); N]) -> Cases {
    cases.into_iter().map(|(what, bytes)| (what.to_string(), bytes)).collect()
}

fn unknown() -> Cases {
    named([
        ("nothing", vec![]),
        ("text", b"hello".to_vec()),
        ("GGUF", b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
        ("HDF5", b"\x89HDF\r\n\x1a\n".to_vec()),
        ("zeros", vec![0; 1000]),
        ("only a length", vec![2, 0, 0, 0, 0, 0, 0, 0]),
    ])
}

/// A version 1 file of this header text and these values.
pub(crate) fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), values].concat()
}

fn npy_wide(version: u8, length: u32, header: &str, values: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY", &[version, 0][..], &length.to_le_bytes(), header.as_bytes(), values].concat()
}

fn header(descr: &str, order: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")
}

/// A complete .npy of f32.
pub(crate) fn singles(shape: &str, count: usize) -> Vec<u8> {
    npy(&header("'<f4'", "False", shape), &vec![0; 4 * count])
}

fn npy_files() -> Cases {
    let mut cases = named([
        ("magic alone", b"\x93NUMPY".to_vec()),
        ("version 0", b"\x93NUMPY\x00\x00\x00\x00".to_vec()),
        ("version 4", npy_wide(4, 2, "{}", &[])),
        ("version 1.1", b"\x93NUMPY\x01\x01\x02\x00{}".to_vec()),
        ("no length", b"\x93NUMPY\x01\x00\x01".to_vec()),
        ("a header past the end", npy_wide(2, 1000, "{}", &[])),
        ("a header of 4 GiB", npy_wide(2, u32::MAX, "{}", &[])),
        ("a header over the limit", npy_wide(2, 65537, &" ".repeat(65537), &[])),
        ("a header that is no text", [b"\x93NUMPY\x01\x00\x04\x00", &b"\xff\xfe\xff\xff"[..]].concat()),
        ("no header", npy("", &[])),
        ("no dictionary", npy("[]", &[])),
        ("an open dictionary", npy("{'descr': '<f4'", &[])),
        ("an empty dictionary", npy("{}", &[])),
        ("no descr", npy("{'fortran_order': False, 'shape': ()}", &[0; 4])),
        ("no order", npy("{'descr': '<f4', 'shape': ()}", &[0; 4])),
        ("no shape", npy("{'descr': '<f4', 'fortran_order': False}", &[0; 4])),
        ("a foreign key", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}", &[0; 4])),
        ("a key twice", npy("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': ()}", &[0; 4])),
        ("a key without a value", npy("{'descr', 'fortran_order': False, 'shape': ()}", &[0; 4])),
        ("an empty element", npy("{'descr': '<f4',, 'fortran_order': False, 'shape': ()}", &[0; 4])),
        ("two dictionaries", npy(&header("'<f4'", "False", "()").repeat(2), &[0; 4])),
        ("a closed bracket too many", npy("{'descr': '<f4'), 'fortran_order': False, 'shape': ()}", &[0; 4])),
        ("a thousand brackets", npy(&header("'<f4'", "False", &"(".repeat(1000)), &[0; 4])),
        ("60,000 brackets", npy(&format!("{}{}", "{".repeat(30_000), "}".repeat(30_000)), &[])),
        ("a terminal's escape", npy("{'\u{1b}[2J': 1}", &[])),
        ("truncated values", singles("(3,)", 2)),
        ("bytes after the values", singles("(3,)", 4)),
        ("a byte after the values", npy(&header("'<f4'", "False", "()"), &[0; 5])),
        ("values of an empty array", singles("(0, 5)", 1)),
        ("a type too long", npy(&header("'<U9999999999999999999'", "False", "()"), &[0; 4])),
        ("a long type of a long array", npy(&header("'|S4294967296'", "False", "(281474976710656,)"), &[0; 4])),
    ]);
    for order in ["1", "None", "'False'", "false", ""] {
        cases.push((format!("order {order}"), npy(&header("'<f4'", order, "()"), &[0; 4])));
    }
    for descr in
        ["'f3'", "'<f3'", "'<q4'", "'|O'", "'|S4'", "''", "'<'", "<f4", "None", "4", "'<f4", "'\\x3cf4'", "('<f4',)"]
    {
        cases.push((format!("descr {descr}"), npy(&header(descr, "False", "()"), &[0; 4])));
    }
    for shape in [
        "[1]",
        "1",
        "(1)",
        "(-1,)",
        "(+1,)",
        "(1.0,)",
        "(0x1,)",
        "(1_0,)",
        "(True,)",
        "(None,)",
        "('1',)",
        "((1,),)",
        "(,)",
        "(1,,)",
        "( 1 1 ,)",
        "(1e0,)",
        "(L,)",
        "(\u{661},)",
        "(1000000000000000000,)",
        "(4294967296, 4294967296)",
        "(0, 4294967296, 4294967296)",
        "(18446744073709551616,)",
        "(18446744073709551617,)",
        "(281474976710657,)",
        "(281474976710656,)",
        "(2, 281474976710656, 0)",
    ] {
        cases.push((format!("shape {shape}"), singles(shape, 1)));
    }
    let deep = format!("({})", "1, ".repeat(33));
    cases.push(("33 axes".into(), singles(&deep, 1)));
    cases
}

/// A safetensors file of this header and these values.
pub(crate) fn safetensors(header: &str, values: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), values].concat()
}

fn info(dtype: &str, shape: &str, begin: u64, end: u64) -> String {
    format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
}

fn tensors(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, info)| format!("\"{name}\":{info}")).collect();
    format!("{{{}}}", pairs.join(","))
}

fn with_length(length: u64, rest: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes()[..], rest].concat()
}

fn safetensors_files() -> Cases {
    let f32 = |shape, begin, end| info("F32", shape, begin, end);
    let one = |text: String, held: usize| safetensors(&tensors(&[("w", text)]), &vec![0; held]);
    let two = |first, second, held: usize| safetensors(&tensors(&[("a", first), ("b", second)]), &vec![0; held]);
    let raw = |text: &str, held: usize| safetensors(text, &vec![0; held]);
    let mut cases = named([
        ("length 0", with_length(0, b"{}")),
        ("length 1", with_length(1, b"{}")),
        ("a header past the end", with_length(3, b"{}")),
        ("length 2^63", with_length(1 << 63, b"{}")),
        ("length 2^64-1", with_length(u64::MAX, b"{}")),
        ("length 2^64-8", with_length(u64::MAX - 7, b"{}")),
        ("length 100,000,001", with_length(100_000_001, b"{}")),
        ("length 100,000,000", with_length(100_000_000, b"{}")),
        ("a header that is no text", safetensors("{", b"").into_iter().chain([0xff]).collect()),
        ("two headers", raw("{}{}", 0)),
        ("an open header", raw("{\"a\":", 0)),
        ("values without tensors", raw("{}", 4)),
        ("truncated values", one(f32("[2]", 0, 8), 7)),
        ("bytes after the values", one(f32("[2]", 0, 8), 9)),
        ("a hole at the beginning", one(f32("[2]", 4, 12), 12)),
        ("a hole between", two(f32("[1]", 0, 4), f32("[1]", 8, 12), 12)),
        ("an overlap", two(f32("[2]", 0, 8), f32("[2]", 4, 12), 12)),
        ("the same bytes twice", two(f32("[2]", 0, 8), f32("[2]", 0, 8), 8)),
        ("an end before the beginning", one(f32("[0]", 4, 0), 4)),
        ("more bytes than the shape", one(f32("[1]", 0, 8), 8)),
        ("fewer bytes than the shape", one(f32("[3]", 0, 8), 8)),
        ("an empty tensor with bytes", one(f32("[0,5]", 0, 4), 4)),
        ("offsets past 64 bits", one(f32("[2]", u64::MAX - 7, u64::MAX), 8)),
        ("a shape of 2^64", one(f32("[18446744073709551616]", 0, 8), 8)),
        ("a shape that wraps", one(f32("[4294967296,4294967296]", 0, 0), 0)),
        ("a shape that wraps behind a zero", one(f32("[0,18446744073709551615,18446744073709551615]", 0, 0), 0)),
        ("a shape past 2^48", one(info("U8", "[281474976710657]", 0, 281_474_976_710_657), 8)),
        ("a shape of 2^48", one(info("F64", "[281474976710656]", 0, 1 << 51), 8)),
        ("a negative size", one(f32("[-1]", 0, 4), 4)),
        ("a size with a point", one(f32("[1.0]", 0, 4), 4)),
        ("a size in quotes", one(f32("[\"1\"]", 0, 4), 4)),
        ("a shape that is no list", one(f32("1", 0, 4), 4)),
        ("33 axes", one(f32(&format!("[{}1]", "1,".repeat(32)), 0, 4), 4)),
        ("a long description", one(f32(&format!("[{}1]", "1,".repeat(20_000)), 0, 4), 4)),
        ("an unknown type", one(info("F31", "[1]", 0, 4), 4)),
        ("a small type", one(info("f32", "[1]", 0, 4), 4)),
        ("half a byte", one(info("F4", "[3]", 0, 1), 1)),
        ("a terminal's escape as a type", one(info("\\u001b[2J\\n", "[1]", 0, 4), 4)),
        ("a terminal's escape as a name", safetensors(&tensors(&[("\\u001b]0;x\\u0007", f32("[2]", 0, 4))]), &[0; 4])),
        ("an endless name", safetensors(&tensors(&[(&"x".repeat(5000), f32("[2]", 0, 4))]), &[0; 4])),
        ("a name twice", raw(&tensors(&[("a", f32("[1]", 0, 4)), ("a", f32("[1]", 4, 8))]), 8)),
        ("a name twice, escaped", raw(&tensors(&[("a", f32("[1]", 0, 4)), ("\\u0061", f32("[1]", 4, 8))]), 8)),
        ("a name twice, the same bytes", raw(&tensors(&[("a", f32("[1]", 0, 4)), ("a", f32("[1]", 0, 4))]), 4)),
        ("no type", raw(r#"{"w":{"shape":[1],"data_offsets":[0,4]}}"#, 4)),
        ("no shape", raw(r#"{"w":{"dtype":"F32","data_offsets":[0,4]}}"#, 4)),
        ("no offsets", raw(r#"{"w":{"dtype":"F32","shape":[1]}}"#, 4)),
        ("a key twice", raw(r#"{"w":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#, 4)),
        ("one offset", raw(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4)),
        ("three offsets", raw(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#, 4)),
        ("a negative offset", raw(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4)),
        ("a tensor that is a list", raw(r#"{"w":["F32",[1],[0,4]]} "#, 0)),
        ("a tensor that is null", raw(r#"{"w":null}"#, 0)),
        ("metadata that is a list", raw(r#"{"__metadata__":[]}"#, 0)),
        ("metadata of numbers", raw(r#"{"__metadata__":{"a":1}}"#, 0)),
        ("metadata of objects", raw(r#"{"__metadata__":{"a":{}}}"#, 0)),
        ("a metadata key twice", raw(r#"{"__metadata__":{"a":"1","a":"2"}}"#, 0)),
        ("metadata twice", raw(r#"{"__metadata__":{},"__metadata__":{}}"#, 0)),
        ("a comma at the end", raw(r#"{"__metadata__":{},}"#, 0)),
    ]);
    let deep = format!("{{\"w\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    cases.push(("100,000 brackets".into(), raw(&deep, 0)));
    cases
}

fn json_files() -> Cases {
    let one = |text: &str| format!(r#"{{"tensors":{{"w":{text}}}}}"#).into_bytes();
    let of =
        |dtype: &str, shape: &str, data: &str| one(&format!(r#"{{"dtype":"{dtype}","shape":{shape},"data":{data}}}"#));
    let f32 = |shape: &str, data: &str| of("float32", shape, data);
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let mut cases = named([
        ("an open object", b"{".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("a recipe alone", br#"{"fanin":{}}"#.to_vec()),
        ("a model's configuration", br#"{"architectures":["X"],"tensors":{}}"#.to_vec()),
        ("tensors twice", br#"{"tensors":{},"tensors":{}}"#.to_vec()),
        ("two documents", br#"{"tensors":{}}{"tensors":{}}"#.to_vec()),
        ("tensors that are a list", br#"{"tensors":[]}"#.to_vec()),
        ("a zero byte", b"{\"tensors\":{}}\0".to_vec()),
        ("no UTF-8", b"{\"tensors\":{\"\xff\":1}}".to_vec()),
        ("a half surrogate", br#"{"tensors":{"\ud800":1}}"#.to_vec()),
        ("a terminal's escape", b"{\"tensors\":{},\"\\u001b[2J\":1}".to_vec()),
        ("a tensor that is a number", one("1")),
        ("no type", one(r#"{"shape":[1],"data":[1]}"#)),
        ("no shape", one(r#"{"dtype":"float32","data":[1]}"#)),
        ("no data", one(r#"{"dtype":"float32","shape":[1]}"#)),
        ("a foreign key", one(r#"{"dtype":"float32","shape":[1],"data":[1],"x":1}"#)),
        ("a key twice", one(r#"{"dtype":"float32","shape":[1],"data":[1],"data":[2]}"#)),
        (
            "a name twice",
            br#"{"tensors":{"w":{"dtype":"f4","shape":[],"data":1},"w":{"dtype":"f4","shape":[],"data":1}}}"#.to_vec(),
        ),
        ("too few values", f32("[3]", "[1,2]")),
        ("too many values", f32("[1]", "[1,2]")),
        ("a huge shape", f32("[1000000000000000]", "[1]")),
        ("a shape that wraps", f32("[4294967296,4294967296]", "[]")),
        ("a shape that wraps behind a zero", f32("[0,4294967296,4294967296]", "[]")),
        ("a negative size", f32("[-1]", "[1]")),
        ("a size with a point", f32("[1.5]", "[1]")),
        ("ragged lists", f32("[2,2]", "[[1,2],[3]]")),
        ("a number among lists", f32("[2,1]", "[[1],2]")),
        ("a list among numbers", f32("[2]", "[1,[2]]")),
        ("a list too deep", f32("[1]", "[[1]]")),
        ("a text", f32("[1]", "[\"1\"]")),
        ("a truth", f32("[1]", "[true]")),
        ("nothing", f32("[1]", "[null]")),
        ("NaN", f32("[1]", "[NaN]")),
        ("infinity", f32("[1]", "[Infinity]")),
        ("a number past a double", f32("[1]", "[1e999]")),
        ("a number past a single", f32("[1]", "[1e39]")),
        ("a number past a half", of("float16", "[1]", "[65520]")),
        ("a number past a bfloat16", of("bfloat16", "[1]", "[3.4e38]")),
        ("33 lists", f32("[1]", &nested(33))),
    ]);
    cases.push(("100,000 lists".into(), f32("[1]", &nested(100_000))));
    cases.push(("100,000 brackets in the recipe".into(), format!("{{\"fanin\":{}", nested(100_000)).into_bytes()));
    cases
}

/// A header with a field that safetensors does not have.
fn foreign(value: &str) -> String {
    format!(r#"{{"w":{{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":{value}}}}}"#)
}

/// Files that look odd, and are as they should be.
pub(crate) fn odd() -> Cases {
    let big = npy(&header("'>f4'", "True", "(2, 1)"), &[0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]);
    let mut cases = named([
        ("big-endian, Fortran order", big),
        ("integers", npy(&header("'<i8'", "False", "(2,)"), &[0; 16])),
        ("a type without an order", npy(&header("'f4'", "False", "()"), &[0; 4])),
        ("bfloat16", npy(&header("'|V2'", "False", "(2,)"), &[0; 4])),
        ("Python 2", singles("(3L,)", 3)),
        (
            "version 2",
            npy_wide(
                2,
                u32::try_from(header("'<f4'", "False", "()").len()).unwrap(),
                &header("'<f4'", "False", "()"),
                &[0; 4],
            ),
        ),
        ("no tensors", safetensors("{}", &[])),
        ("a foreign key", safetensors(&foreign(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))), &[0; 4])),
        ("spaces after the header", safetensors("{}      ", &[])),
        ("integers in safetensors", safetensors(&tensors(&[("w", info("I64", "[1]", 0, 8))]), &[0; 8])),
        ("a name that moves a terminal", safetensors(&tensors(&[("\\u001b[2J", info("F32", "[1]", 0, 4))]), &[0; 4])),
        (
            "empty tensors at one place",
            safetensors(&tensors(&[("a", info("F32", "[0]", 0, 0)), ("b", info("F32", "[0,9]", 0, 0))]), &[]),
        ),
        ("a length that is a brace", safetensors(&format!("{{{}}}", " ".repeat(121)), &[])),
        ("JSON without a recipe", br#" {"tensors":{"w":{"data":[1,25],"shape":[2],"dtype":"int64"}}}"#.to_vec()),
    ]);
    cases.extend(zips::odd());
    cases.extend(pickles::odd());
    cases
}

/// Files with the provenance of another file.
pub(crate) fn misleading() -> Cases {
    let head = r#""generator":"native-1","schema":1,"seed":"7""#;
    let recipe = |tensor: &str| format!("{{{head},\"tensors\":{{\"w\":{tensor}}}}}");
    let tensor = |scheme: &str, shape: &str, dtype: &str, more: &str| {
        recipe(&format!(r#"{{"scheme":"{scheme}","shape":{shape},"dtype":"{dtype}"{more}}}"#))
    };
    let recipes = [
        ("no recipe", "x".to_string()),
        ("an empty recipe", "{}".into()),
        ("a later schema", r#"{"schema":2}"#.into()),
        ("no tensors", format!("{{{head}}}")),
        (
            "another tensor",
            format!("{{{head},\"tensors\":{{\"v\":{{\"scheme\":\"zeros\",\"shape\":[2],\"dtype\":\"f32\"}}}}}}"),
        ),
        (
            "a tensor twice",
            format!(
                "{{{head},\"tensors\":{{\"w\":{{\"scheme\":\"zeros\",\"shape\":[2],\"dtype\":\"f32\"}},\"w\":{{\"scheme\":\"ones\",\"shape\":[2],\"dtype\":\"f32\"}}}}}}"
            ),
        ),
        ("another shape", tensor("zeros", "[3]", "f32", "")),
        ("an impossible shape", tensor("zeros", "[4294967296,4294967296]", "f32", "")),
        ("another dtype", tensor("zeros", "[2]", "f16", "")),
        ("an unknown dtype", tensor("zeros", "[2]", "f8", "")),
        ("an unknown scheme", tensor("zeroes-and-ones", "[2]", "f32", "")),
        ("a scheme without fans", tensor("he-normal", "[2]", "f32", "")),
        ("a scheme that overflows", tensor("normal:std=1e300", "[2]", "f32", "")),
        ("a layout that does not fit", tensor("zeros", "[2]", "f32", r#","layout":"qq""#)),
        ("a foreign key", tensor("zeros", "[2]", "f32", r#","time":1"#)),
        ("a negative fan", tensor("he-normal", "[2]", "f32", r#","fan_in":-1"#)),
    ];
    let mut cases = Cases::new();
    for (what, recipe) in recipes {
        let text = format!("\"{}\"", recipe.replace('"', "\\\""));
        let header = format!(r#"{{"__metadata__":{{"fanin":{text}}},"w":{}}}"#, info("F32", "[2]", 0, 8));
        cases.push((format!("safetensors: {what}"), safetensors(&header, &[0; 8])));
        if recipe.starts_with('{') {
            let json =
                format!(r#"{{"fanin":{recipe},"tensors":{{"w":{{"dtype":"float32","shape":[2],"data":[0,0]}}}}}}"#);
            cases.push((format!("json: {what}"), json.into_bytes()));
        }
    }
    cases
}
