//! What `torch.save` writes is read by the names, shapes and values that torch has, and nothing in it is run.

use std::io::Write;

use fanin::reader::{Contents, Entry};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::common::hostile::pickles::{
    ORDERED, byte, dict, legacy, program, singles, sizes, storage, tensor, text, tuple, weight, with_storages,
};
use crate::common::hostile::zips::{archive, member};
use crate::common::{Folder, TIME, peak_memory};
use crate::temporary::Temporary;

/// The bytes of singles 0, 1, 2, ...
fn counted(count: u8) -> Vec<u8> {
    (0..count).flat_map(|number| f32::from(number).to_le_bytes()).collect()
}

fn archived(pickle: Vec<u8>) -> Vec<u8> {
    with_storages(pickle, &[("0", counted(6))])
}

fn open(bytes: &[u8]) -> Contents {
    Contents::open(&Temporary::of(bytes).0).unwrap_or_else(|error| panic!("{error:#}"))
}

fn refusal(bytes: &[u8]) -> String {
    let error = Contents::open(&Temporary::of(bytes).0).err().expect("it is taken");
    format!("{error:#}")
}

fn names(contents: &Contents) -> Vec<&str> {
    contents.entries.iter().map(|entry| entry.name.as_str()).collect()
}

/// Name, type, shape and values of each tensor.
fn read(bytes: &[u8]) -> Vec<(String, String, Vec<f64>)> {
    let file = Temporary::of(bytes);
    let contents = Contents::open(&file.0).unwrap_or_else(|error| panic!("{error:#}"));
    (0..contents.entries.len())
        .map(|number| {
            let mut values = Vec::new();
            contents.read(number, &mut |chunk| values.extend_from_slice(chunk)).unwrap();
            let entry = &contents.entries[number];
            (entry.name.clone(), format!("{} {}", entry.type_word, entry.shape), values)
        })
        .collect()
}

/// A view of the storage of 0 to 5.
fn view(offset: u8, shape: &[u8], strides: &[u8]) -> Vec<u8> {
    tensor(singles(), byte(offset), sizes(shape), sizes(strides))
}

/// A call of a function by its module and name, with arguments.
fn call(function: &str, arguments: &[Vec<u8>]) -> Vec<u8> {
    [b"c", function.replace(' ', "\n").as_bytes(), b"\n", &tuple(arguments), b"R"].concat()
}

/// A list of values.
fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [b"](", &items.concat()[..], b"e"].concat()
}

/// A plain dict of these keys and values.
fn plain(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<u8> = entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()].concat()).collect();
    [b"}(", &entries[..], b"u"].concat()
}

/// An object of a class with attributes.
fn object(class: &str, attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = attributes.iter().map(|(key, value)| (text(key), value.clone())).collect();
    [b"c", class.replace(' ', "\n").as_bytes(), b"\n)\x81", &plain(&entries)[..], b"b"].concat()
}

#[test]
fn tensors_in_containers_are_named_by_keys_and_numbers_joined_by_points() {
    let nested = plain(&[
        (text("model"), plain(&[(text("fc.weight"), weight())])),
        (byte(7), list(&[weight(), tuple(&[weight(), weight()])])),
        (vec![0x88], weight()),
        (b"N".to_vec(), weight()),
        (b"\x8a\x01\xff".to_vec(), weight()),
    ]);
    let all = ["model.fc.weight", "7.0", "7.1.0", "7.1.1", "True", "None", "-1"];
    assert_eq!(names(&open(&archived(program(&nested)))), all);
    assert_eq!(names(&open(&archived(program(&weight())))), ["weight"]);
    assert_eq!(names(&open(&archived(program(&tuple(&[weight(), weight()]))))), ["0", "1"]);
}

#[test]
fn a_tensor_with_a_key_that_is_no_name_is_refused_with_its_position() {
    let long = "x".repeat(5000);
    let point = b"G\x3f\xf8\0\0\0\0\0\0".to_vec();
    for key in [point, tuple(&[byte(1), byte(2)]), text(&long)] {
        let one = plain(&[(key, weight())]);
        let message = refusal(&archived(program(&one)));
        assert!(message.contains("the key of a tensor cannot be a name: use a short string"), "{message}");
        let message = refusal(&archived(dict(&[("w", weight()), ("d", one)])));
        assert!(message.contains("the key of a tensor in `d` cannot be a name"), "{message}");
    }
}

#[test]
fn archives_that_were_packed_again_are_read() {
    let pickle = dict(&[("w", weight()), ("v", view(1, &[2, 2], &[1, 2]))]);
    let plain = archived(pickle.clone());
    for method in [CompressionMethod::Deflated, CompressionMethod::Bzip2] {
        let mut packed = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in [("a/data.pkl", pickle.clone()), ("a/data/0", counted(6))] {
            packed.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            packed.write_all(&bytes).unwrap();
        }
        assert_eq!(read(&packed.finish().unwrap().into_inner()), read(&plain), "{method}");
    }
}

#[test]
fn a_packed_pickle_that_is_much_longer_than_its_file_is_refused_before_it_takes_memory() {
    let mut packed = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("a/data.pkl", SimpleFileOptions::default()).unwrap();
    packed.write_all(&vec![b'N'; (1 << 26) + 1]).unwrap();
    let bytes = packed.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20);
    assert!(refusal(&bytes).contains("member `data.pkl` of 67108865 bytes exceeds 67108864"));
}

#[test]
fn what_is_no_tensor_is_skipped_with_one_note() {
    let contents = open(&archived(dict(&[
        ("epoch", byte(3)),
        ("args", object("argparse Namespace", &[("lr", byte(1))])),
        ("when", call("datetime datetime", &[text("x")])),
        ("scalar", call("numpy._core.multiarray scalar", &[call("numpy dtype", &[text("f8")]), text("x")])),
        ("size", call("torch Size", &[sizes(&[2, 3])])),
        ("lists", list(&[byte(1), list(&[]), plain(&[(text("deep"), byte(2))])])),
        ("model", plain(&[(text("w"), weight()), (text("step"), b"G\x3f\xf0\0\0\0\0\0\0".to_vec())])),
    ])));
    assert_eq!(names(&contents), ["model.w"]);
    let note = "7 entries without tensors are skipped: `epoch`, `args`, `when`, `scalar`, `size` and 2 more";
    assert_eq!(contents.notes, [note]);
}

#[test]
fn a_file_without_a_tensor_is_refused_by_what_it_holds() {
    let cases = [
        (dict(&[("epoch", byte(3)), ("lists", list(&[byte(1)]))]), "it holds no tensors, only `epoch`, `lists`"),
        (program(&text("hello")), "it holds a string, not tensors"),
        (program(&call("os system", &[text("touch pwned")])), "it holds an object of `os.system`, not tensors"),
        (dict(&[("x", call("os system", &[text("touch pwned")]))]), "it holds no tensors, only `x`"),
    ];
    for (pickle, message) in cases {
        let refusal = refusal(&archived(pickle));
        assert!(refusal.ends_with(message), "{refusal}");
    }
}

#[test]
fn views_are_read_in_their_own_order() {
    let tensors = [
        ("transposed", view(0, &[3, 2], &[1, 3]), vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
        ("a part", view(1, &[2, 2], &[3, 1]), vec![1.0, 2.0, 4.0, 5.0]),
        ("each second", view(1, &[3], &[2]), vec![1.0, 3.0, 5.0]),
        ("expanded", view(4, &[2, 3], &[0, 0]), vec![4.0; 6]),
        ("rows again", view(0, &[2, 2, 2], &[0, 3, 1]), vec![0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]),
        ("overlapping", view(0, &[3, 2], &[2, 1]), vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
        ("none", view(6, &[0, 3], &[3, 1]), vec![]),
        ("one", view(5, &[], &[]), vec![5.0]),
    ];
    let entries: Vec<_> = tensors.iter().map(|(name, tensor, _)| (*name, tensor.clone())).collect();
    let of_legacy = legacy(&dict(&entries), &[("0", 6, counted(6))]);
    for file in [archived(dict(&entries)), of_legacy] {
        for ((name, _, values), (expected_name, _, expected)) in read(&file).into_iter().zip(&tensors) {
            assert_eq!((name.as_str(), &values), (*expected_name, expected));
        }
    }
}

#[test]
fn the_flags_of_negation_and_conjugation_are_honoured() {
    let flagged = |storage: Vec<u8>, flags: &[(&str, u8)]| {
        let flags: Vec<_> = flags.iter().map(|&(name, flag)| (text(name), vec![flag])).collect();
        let arguments = [storage, byte(0), sizes(&[3]), sizes(&[1]), vec![0x89], ORDERED.to_vec(), plain(&flags)];
        call("torch._utils _rebuild_tensor_v2", &arguments)
    };
    let complex = || storage("ComplexFloatStorage", "0", byte(3));
    let (set, unset) = (0x88, 0x89);
    let file = with_storages(
        dict(&[
            ("neg", flagged(singles(), &[("neg", set)])),
            ("not", flagged(singles(), &[("neg", unset), ("conj", unset)])),
            ("plain", flagged(complex(), &[])),
            ("conj", flagged(complex(), &[("conj", set)])),
            ("both", flagged(complex(), &[("conj", set), ("neg", set)])),
        ]),
        &[("0", counted(6))],
    );
    let values: Vec<Vec<u8>> = open(&file).entries.iter().map(stored).collect();
    let singles = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    assert_eq!(values[0], singles(&[-0.0, -1.0, -2.0]));
    assert_eq!(values[1], singles(&[0.0, 1.0, 2.0]));
    assert_eq!(values[2], singles(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(values[3], singles(&[0.0, -1.0, 2.0, -3.0, 4.0, -5.0]));
    assert_eq!(values[4], singles(&[-0.0, 1.0, -2.0, 3.0, -4.0, 5.0]));
}

/// The values of an entry, little-endian and in C order.
fn stored(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    entry.values().unwrap().read(0, entry.shape.count(), &mut bytes).unwrap();
    bytes
}

#[test]
fn types_without_a_class_of_storages_are_views_of_bytes() {
    let of_bytes = |dtype: &str, count: u8| {
        let storage = [&b"ctorch.storage\nUntypedStorage\n"[..]].concat();
        let identity = tuple(&[text("storage"), storage, text("0"), text("cpu"), byte(24)]);
        let dtype = format!("ctorch\n{dtype}\n").into_bytes();
        let storage = [identity, b"Q".to_vec()].concat();
        let arguments = [storage, byte(0), sizes(&[count]), sizes(&[1]), vec![0x89], ORDERED.to_vec(), dtype];
        call("torch._utils _rebuild_tensor_v3", &arguments)
    };
    let values: Vec<u8> = (0..24).collect();
    let file = with_storages(
        dict(&[
            ("a", of_bytes("uint16", 2)),
            ("b", of_bytes("uint32", 1)),
            ("c", of_bytes("uint64", 3)),
            ("d", of_bytes("float8_e4m3fn", 24)),
            ("e", of_bytes("float8_e5m2", 1)),
            ("f", of_bytes("complex32", 6)),
        ]),
        &[("0", values.clone())],
    );
    let contents = open(&file);
    let words: Vec<&str> = contents.entries.iter().map(|entry| entry.type_word.as_str()).collect();
    assert_eq!(words, ["u16", "u32", "u64", "f8_e4m3", "f8_e5m2", "c32"]);
    let lengths: Vec<usize> = contents.entries.iter().map(|entry| stored(entry).len()).collect();
    assert_eq!(lengths, [4, 4, 24, 24, 1, 24]);
    assert!(contents.entries.iter().all(|entry| values.starts_with(&stored(entry))));
    let past = refusal(&with_storages(dict(&[("a", of_bytes("uint64", 4))]), &[("0", values)]));
    assert!(past.contains("exceeds its storage of 24 bytes"), "{past}");
}

#[test]
fn functions_that_rebuild_tensors_give_the_tensor() {
    let parameter = [weight(), vec![0x88], ORDERED.to_vec()];
    let with_state = [&parameter[..], &[plain(&[(text("x"), byte(1))])]].concat();
    let function = b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec();
    let arguments = [singles(), byte(0), sizes(&[2, 3]), sizes(&[3, 1]), vec![0x89], ORDERED.to_vec()];
    let subclass = [function, b"ctorch\nTensor\n".to_vec(), tuple(&arguments), plain(&[(text("x"), byte(1))])];
    let of_device = |dtype: &str| {
        let dtype = format!("ctorch\n{dtype}\n").into_bytes();
        call("torch._utils _rebuild_device_tensor_from_cpu_tensor", &[weight(), dtype, text("xla:0"), vec![0x89]])
    };
    assert!(refusal(&archived(dict(&[("w", of_device("float16"))]))).contains("another type: save `tensor.cpu()`"));
    let file = archived(dict(&[
        ("parameter", call("torch._utils _rebuild_parameter", &parameter)),
        ("with state", call("torch._utils _rebuild_parameter_with_state", &with_state)),
        ("subclass", call("torch._tensor _rebuild_from_type_v2", &subclass)),
        ("first", call("torch._utils _rebuild_tensor", &arguments[..4])),
        ("of a device", of_device("float32")),
    ]));
    for (name, kind, values) in read(&file) {
        assert_eq!((kind.as_str(), values), ("f32 2x3", vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), "{name}");
    }
}

#[test]
fn every_protocol_holds_the_same() {
    let short = |text: &str| [&[0x8c, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let global = |module: &str, name: &str| [short(module), short(name), b"\x93\x94".to_vec()].concat();
    let class = global("torch", "FloatStorage");
    let identity = [&b"("[..], &short("storage"), &class, &short("0"), &short("cpu"), b"K\x06t\x94Q"].concat();
    let ordered = [global("collections", "OrderedDict"), b")R\x94".to_vec()].concat();
    let arguments =
        [&b"("[..], &identity, b"K\0K\x02K\x03\x86\x94K\x03K\x01\x86\x94\x89", &ordered, b"t\x94R\x94"].concat();
    let entry = [short("w"), global("torch._utils", "_rebuild_tensor_v2"), arguments].concat();
    let body = [b"}\x94", &entry[..], b"s."].concat();
    let framed = [&[0x95][..], &(body.len() as u64).to_le_bytes(), &body].concat();
    let expected = read(&archived(program(&[&b"}"[..], &text("w"), &weight(), b"s"].concat())));
    assert_eq!(expected[0].2, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    for pickle in [[b"\x80\x03", &body[..]], [b"\x80\x04", &framed], [b"\x80\x05", &framed]] {
        assert_eq!(read(&archived(pickle.concat())), expected);
    }
}

#[test]
fn ordered_dicts_of_python_2_are_lists_of_pairs() {
    let bytes = |text: &str| [&[b'U', u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let pair = |name: &str| list(&[bytes(name), weight()]);
    let pairs = tuple(&[list(&[pair("b"), pair("a"), tuple(&[bytes("c"), weight()])])]);
    let pickle = program(&[b"ccollections\nOrderedDict\n", &pairs[..], b"R"].concat());
    assert_eq!(names(&open(&archived(pickle))), ["b", "a", "c"]);
}

#[test]
fn the_format_before_1_6_is_read() {
    let halves = tensor(storage("HalfStorage", "9", byte(2)), byte(0), sizes(&[2]), sizes(&[1]));
    let pickle = dict(&[("b", view(3, &[3], &[1])), ("h", halves), ("a", view(0, &[2], &[1]))]);
    let file = legacy(&pickle, &[("9", 2, vec![0, 0x3c, 0, 0xc0]), ("0", 6, counted(6))]);
    let singles = |name: &str, kind: &str, values: &[f64]| (name.to_string(), kind.to_string(), values.to_vec());
    let expected = [
        singles("b", "f32 3", &[3.0, 4.0, 5.0]),
        singles("h", "f16 2", &[1.0, -2.0]),
        singles("a", "f32 2", &[0.0, 1.0]),
    ];
    assert_eq!(read(&file), expected);
    for cut in 0..file.len() {
        assert!(Contents::open(&Temporary::of(&file[..cut]).0).is_err(), "{cut} of {} bytes", file.len());
    }
    let longer = [&file[..], b"more"].concat();
    assert_eq!(open(&longer).notes, ["4 bytes follow its storages"]);
    let other = |storages: &[(&str, u64, Vec<u8>)]| refusal(&legacy(&pickle, storages));
    assert!(other(&[("0", 6, counted(6))]).contains("storage `9` is missing"));
    assert!(other(&[("9", 2, vec![0; 4]), ("0", 5, counted(5))]).contains("the pickle says 6"));
    assert!(other(&[("9", 2, vec![0; 4]), ("0", 6, counted(6)), ("0", 6, counted(6))]).contains("appears twice"));
    assert!(other(&[("9", 2, vec![0; 4]), ("8", 6, counted(6))]).contains("belongs to no tensor"));
}

#[test]
fn an_archive_without_checksums_is_read_with_a_note() {
    let unchecked = |name: &[u8], data: Vec<u8>| member(name, data).without_checksum();
    let pickle = dict(&[("w", weight())]);
    let file = archive(&[unchecked(b"a/data.pkl", pickle.clone()), unchecked(b"a/data/0", counted(6))]);
    assert_eq!(read(&file)[0].2, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert!(open(&file).notes[0].starts_with("it has no checksums"));
    let some = archive(&[member(b"a/data.pkl", pickle), unchecked(b"a/data/0", counted(6))]);
    assert!(open(&some).read(0, &mut |_| {}).is_err());
}

#[test]
fn a_view_of_a_storage_begins_at_its_offset() {
    let viewed = |first: u8, count: u8, shape: u8| {
        let class = b"ctorch\nFloatStorage\n".to_vec();
        let view = tuple(&[text("1"), byte(first), byte(count)]);
        let identity = tuple(&[text("storage"), class, text("0"), text("cpu"), byte(6), view]);
        let storage = [identity, b"Q".to_vec()].concat();
        legacy(&dict(&[("w", tensor(storage, byte(1), sizes(&[shape]), sizes(&[1])))]), &[("0", 6, counted(6))])
    };
    assert_eq!(read(&viewed(2, 3, 2))[0].2, [3.0, 4.0]);
    assert!(refusal(&viewed(2, 3, 3)).contains("exceeds its storage of 12 bytes"));
    assert!(refusal(&viewed(5, 3, 1)).contains("a view of 3 elements from 5 exceeds its storage of 6"));
}

#[test]
fn kinds_that_are_not_read_are_refused_by_their_names() {
    let unread = |function: &str| archived(dict(&[("w", weight()), ("x", call(function, &[weight()]))]));
    let module =
        || object("torch.nn.modules.linear Linear", &[("training", vec![0x88]), ("_parameters", b"}".to_vec())]);
    let script =
        archive(&[member(b"a/data.pkl", b"\x80\x02}.".to_vec()), member(b"a/constants.pkl", b"\x80\x02).".to_vec())]);
    let tar = [&b"storages"[..], &[0; 249], b"ustar\x0000", &[0; 248]].concat();
    let cases = [
        (unread("torch._utils _rebuild_qtensor"), "`x` is a quantized tensor: save `tensor.dequantize()`"),
        (unread("torch._utils _rebuild_sparse_tensor"), "`x` is a sparse tensor: save `tensor.to_dense()`"),
        (unread("torch._utils _rebuild_nested_tensor"), "`x` is a nested tensor: save `tensor.unbind()`"),
        (unread("torch._utils _rebuild_meta_tensor_no_storage"), "`x` is a tensor on the meta device"),
        (archived(program(&module())), "it is a whole module of `torch.nn.modules.linear.Linear`"),
        (archived(dict(&[("model", module())])), "`model` is a whole module of `torch.nn.modules.linear.Linear`"),
        (script, "TorchScript programs are not supported"),
        (tar, "tar archives of the first torch versions are not supported"),
        (b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x07a model\x94.".to_vec(), "a pickle that torch.save did not write"),
    ];
    for (file, message) in cases {
        let refusal = refusal(&file);
        assert!(refusal.contains(message), "{refusal}");
        assert!(refusal.contains("save"), "no way out: {refusal}");
    }
}

#[test]
fn a_module_among_tensors_is_skipped_with_a_note() {
    let module =
        object("torch.nn.modules.loss CrossEntropyLoss", &[("training", vec![0x88]), ("_parameters", b"}".to_vec())]);
    let contents = open(&archived(dict(&[("w", weight()), ("criterion", module)])));
    assert_eq!(names(&contents), ["w"]);
    assert!(contents.notes[0].starts_with("`criterion` is a whole module of `torch.nn.modules.loss.CrossEntropyLoss`"));
    assert_eq!(contents.notes[1], "1 entry without tensors is skipped: `criterion`");
}

#[test]
fn containers_within_themselves_and_deep_ones_end() {
    let cycle = program(&[&b"}q\0"[..], &text("w"), &weight(), b"s", &text("self"), b"h\0s"].concat());
    assert_eq!(names(&open(&archived(cycle))), ["w"]);
    let deep = 1_000_000;
    let lists = program(&[&vec![b']'; deep][..], &weight(), &vec![b'a'; deep]].concat());
    let tuples = program(&[&weight()[..], &vec![0x85; deep]].concat());
    let dicts = program(&[[b"}", &text("a")[..]].concat().repeat(deep), weight(), vec![b's'; deep]].concat());
    for pickle in [lists, tuples, dicts] {
        let refusal = refusal(&archived(pickle));
        assert!(refusal.contains("it holds no tensors, only"), "{refusal}");
    }
}

#[test]
fn shared_containers_do_not_multiply_beyond_the_limits() {
    let doubled = |opening: Vec<u8>| {
        let levels = (0..60u8).map(|level| {
            let below = vec![b'h', level];
            let pair = plain(&[(text("a"), below.clone()), (text("b"), below)]);
            [pair, vec![b'q', level + 1, b'0']].concat()
        });
        program(&[opening, b"q\x000".to_vec(), levels.collect::<Vec<_>>().concat(), b"h\x3c".to_vec()].concat())
    };
    let refusal_of = |opening: Vec<u8>| refusal(&archived(doubled(opening)));
    assert!(refusal_of(b"}".to_vec()).contains("it holds no tensors, only `a`, `b`"));
    assert!(refusal_of(plain(&[(text("w"), weight())])).contains("it names more tensors than its"));
}

#[test]
fn a_million_entries_take_little_memory() {
    let folder = Folder::new();
    let million = 1_000_000;
    let nested = [b"]".repeat(million), b"a".repeat(million - 1)].concat();
    let cases = [
        (
            "entries",
            plain(&[
                (text("w"), weight()),
                ([text("n"), b"q\0".to_vec()].concat(), [&b"N"[..], &b"h\0N".repeat(million)].concat()),
            ]),
        ),
        ("lists", plain(&[(text("w"), weight()), (text("n"), nested)])),
        ("memos", [plain(&[(text("w"), weight())]), b"\x94".repeat(million)].concat()),
    ];
    for (name, pickle) in cases {
        folder.write(name, archived(program(&pickle)));
        let ended = folder.shell(&format!("exec {TIME} -q -f %M -o memory \"$FANIN\" inspect {name}"));
        assert_eq!(ended.status, 0, "{name}: {}", ended.stderr);
        let peak = peak_memory(&folder.join("memory"));
        assert!(peak < 192 << 20, "{name}: {peak} bytes");
    }
}
