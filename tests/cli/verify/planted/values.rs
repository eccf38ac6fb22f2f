use super::{planted, read, write};
use crate::common::Folder;
use crate::verify::verify;

const N: &str = "normal:std=1";

#[test]
fn a_value_too_far_out_is_named_with_its_place() {
    planted(
        N,
        [1000, 1000],
        |w| w[3007] = 15.0,
        "the largest of 1,000,000 values, 15 at [3, 7], is too far from the mean: +15.00",
    );
    planted(
        N,
        [100, 100],
        |w| w[9999] = -8.0,
        "the smallest of 10,000 values, -8 at [99, 99], is too far from the mean: -8.00",
    );
    planted("truncated-normal:std=1,high=40", [100, 100], |w| w[5] = 12.0, "12 at [0, 5], is too far from the mean");
}

#[test]
fn an_element_is_named_by_its_index_in_any_stored_order() {
    const SHAPE: [usize; 2] = [30, 40];
    let folder = Folder::new();
    folder.done(&format!("init {N} 30x40 -q -o w.npy"));
    let mut values = read(&folder, "w.npy");
    values[3 * SHAPE[1] + 7] = 15.0;
    let in_fortran_order = |n: usize| values[n % SHAPE[0] * SHAPE[1] + n / SHAPE[0]];
    for (descr, order) in [("<f4", "True"), (">f4", "False"), (">f4", "True")] {
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': (30, 40), }}");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(format!("{header:<117}\n").bytes());
        for (n, &in_c_order) in values.iter().enumerate() {
            let value = if order == "True" { in_fortran_order(n) } else { in_c_order };
            bytes.extend(if descr == ">f4" { value.to_be_bytes() } else { value.to_le_bytes() });
        }
        folder.write("x.npy", bytes);
        let message = verify(&folder, &format!("x.npy --distribution --scheme {N}"), 1);
        assert!(
            message.contains("the largest of 1,200 values, 15 at [3, 7], is too far from the mean"),
            "{descr} {order}: {message}"
        );
        assert_eq!(message.matches("`weight`").count(), 1, "{descr} {order}: {message}");
    }
}

#[test]
fn values_that_end_too_early_are_seen() {
    let shrink = |w: &mut [f32]| w.iter_mut().for_each(|value| *value *= 0.98);
    planted("uniform:1", [100, 100], shrink, "is too close to the mean");
    planted("torch.nn.init.trunc_normal_:std=1,a=-1,b=1", [100, 100], shrink, "is too close to the mean");
    planted(
        N,
        [1000, 1000],
        |w| w.iter_mut().for_each(|value| *value = value.clamp(-4.0, 4.0)),
        "is too close to the mean",
    );
}

#[test]
fn sorted_values_are_seen() {
    let sort = |w: &mut [f32]| w.sort_by(f32::total_cmp);
    planted(N, [100, 100], sort, "neighbours along axis 1 are correlated");
    planted("uniform:0.1", [1, 300], sort, "neighbours along axis 1 are correlated");
    planted("cauchy:scale=0.01", [50, 20], sort, "neighbours along axis 1 are correlated");
    planted(
        N,
        [100, 100],
        |w| w.sort_by(|one, other| other.abs().total_cmp(&one.abs())),
        "correlation of ranks of magnitudes",
    );
}

#[test]
fn repeated_values_are_found() {
    let next = |w: &mut [f32]| w.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair[1] = pair[0]);
    planted(N, [100, 100], next, "neighbours along axis 1 have the same magnitude in 5000");
    // Far from each other, the second with the other sign.
    let far = |w: &mut [f32]| (0..5000).for_each(|n| w[5000 + n * 2357 % 5000] = -w[n]);
    planted("normal:std=1", [100, 100], far, "pairs of 10,000 values have the same magnitude");
    planted("uniform:1", [100, 100], far, "pairs of 10,000 values have the same magnitude");
    planted("laplace:scale=0.01", [100, 100], far, "pairs of 10,000 values have the same magnitude");
}

#[test]
fn values_that_follow_from_those_before_are_seen() {
    let along = |step: usize, share: f32| {
        move |w: &mut [f32]| {
            (step..w.len()).for_each(|n| w[n] = share * w[n - step] + (1.0 - share * share).sqrt() * w[n]);
        }
    };
    planted(N, [300, 300], along(1, 0.5), "neighbours along axis 1 are correlated");
    planted(N, [300, 300], along(1, -0.1), "neighbours along axis 1 are correlated");
    planted(N, [300, 300], along(300, 0.1), "neighbours along axis 0 are correlated");
    planted(N, [300, 300], along(301, 0.2), "neighbours along the diagonals of axes 0 and 1 are correlated");
}

#[test]
fn symmetric_and_mirrored_matrices_are_seen() {
    const SIZE: usize = 60;
    let all = || (0..SIZE * SIZE).map(|n| (n / SIZE, n % SIZE));
    let image = move |of: fn(usize, usize) -> [usize; 2], sign: f32| {
        move |w: &mut [f32]| {
            for (row, column) in all() {
                let [other, place] = of(row, column);
                if other * SIZE + place > row * SIZE + column {
                    w[other * SIZE + place] = sign * w[row * SIZE + column];
                }
            }
        }
    };
    let size = [SIZE, SIZE];
    planted(N, size, image(|row, column| [column, row], 1.0), "values and their transposes in axes 0 and 1");
    planted(N, size, image(|row, column| [column, row], -1.0), "values and their transposes in axes 0 and 1");
    planted(N, size, image(|row, column| [SIZE - 1 - row, column], 1.0), "mirror-image values along axis 0");
    planted(N, size, image(|row, column| [row, SIZE - 1 - column], -1.0), "mirror-image values along axis 1");
    planted(
        N,
        size,
        image(|row, column| [SIZE - 1 - row, SIZE - 1 - column], 1.0),
        "values and those in reverse order",
    );
    planted(N, size, image(|row, column| [SIZE - 1 - column, SIZE - 1 - row], 1.0), "mirrored at the rising diagonal");
    planted(N, size, image(|row, column| [(row + SIZE / 2) % SIZE, column], -1.0), "both halves of axis 0");
}

#[test]
fn copied_rows_and_columns_are_named() {
    let negated = |w: &mut [f32]| (0..64).for_each(|n| w[500 * 64 + n] = -w[7 * 64 + n]);
    planted("rademacher", [600, 64], negated, "rows 7 and 500 are equal, or opposite, in all 64 values compared");
    planted(N, [100, 20], |w| w.copy_within(60..80, 140), "rows 3 and 7 are equal, or opposite, in all 20 values");
    planted(N, [100, 20], |w| (0..100).for_each(|n| w[20 * n + 7] = w[20 * n + 3]), "columns 3 and 7 are equal");
}

#[test]
fn repeated_runs_are_found_at_any_distance() {
    planted(N, [100, 100], |w| w.copy_within(1234..1274, 7001), "are repeated from 7,00");
    planted("uniform:1", [100, 100], |w| w.copy_within(0..64, 77), "values 0 to 31 are repeated from 77 on");
    planted(N, [1000, 1000], |w| w.copy_within(1234..1634, 700_001), "are repeated from 700,");
    // Blocks of 12 rows and columns, one with all signs changed.
    let block = |sign: f32, size: usize| {
        move |w: &mut [f32]| {
            for n in 0..144 {
                w[(41 + n / 12) * size + 37 + n % 12] = sign * w[(3 + n / 12) * size + 5 + n % 12];
            }
        }
    };
    planted(N, [100, 100], block(1.0, 100), "values 305 to 312 are repeated from 4,137 on");
    planted(N, [100, 100], block(-1.0, 100), "values 305 to 312 are repeated from 4,137 on");
    planted("laplace:scale=0.01", [300, 300], block(1.0, 300), "compared runs of 8 values are repeats");
    planted("rademacher", [60, 60], |w| w.copy_within(100..300, 1001), "values 99 to 226 are repeated from 1,000 on");
}

#[test]
fn rows_and_columns_of_another_scale_or_mean_are_seen() {
    let rows = |factor: fn(usize) -> f32| {
        move |w: &mut [f32]| w.iter_mut().enumerate().for_each(|(n, value)| *value *= factor(n / 100))
    };
    planted(
        N,
        [100, 100],
        rows(|row| if row % 2 == 0 { 1.3 } else { 0.56 }),
        "the mean ranks of magnitudes of the 100 rows",
    );
    planted(N, [100, 100], rows(|row| if row == 50 { 0.01 } else { 1.0 }), "the mean rank of magnitudes of row 50 is");
    let columns = |w: &mut [f32]| {
        w.iter_mut().enumerate().for_each(|(n, value)| {
            *value = 0.954 * *value + if n % 100 < 50 { 0.3 } else { -0.3 };
        });
    };
    planted(N, [100, 100], columns, "the mean ranks of the 100 columns");
}

#[test]
fn faults_are_seen_in_files_of_16_bits_and_of_other_axes() {
    let folder = Folder::new();
    for (dtype, shape) in [("bf16", "64x64"), ("f16", "64x8x3x3"), ("f16", "4096")] {
        folder.done(&format!("init {N} {shape} --dtype {dtype} -q --force -o w.safetensors"));
        verify(&folder, "w.safetensors --distribution", 0);
        let mut bytes = folder.read("w.safetensors");
        let start = 8 + usize::try_from(u64::from_le_bytes(*bytes.first_chunk().unwrap())).unwrap();
        bytes[start..].as_chunks_mut::<4>().0.iter_mut().for_each(|pair| pair.copy_within(..2, 2));
        folder.write("w.safetensors", bytes);
        let message = verify(&folder, "w.safetensors --distribution", 1);
        assert!(message.contains("neighbours along axis"), "{dtype} {shape}: {message}");
    }
}

#[test]
fn tensors_that_hold_the_values_of_another_are_named() {
    const SIZE: usize = 40;
    let folder = Folder::new();
    for (how, said) in [
        ("copied", "`b`: has the same values as `a`"),
        ("transposed", "`b`: has the same values as `a`"),
        ("negated", "`b`: has the same values as `a`"),
        ("a part", "`b`: its values 0 to 127 equal, in order, those from 400 on of `a`"),
    ] {
        folder.done(&format!("init {N} a=40x40 b=40x40 -q --force -o w.safetensors"));
        verify(&folder, "w.safetensors --distribution", 0);
        let mut bytes = folder.read("w.safetensors");
        let start = bytes.len() - 2 * 4 * SIZE * SIZE;
        let (first, second) = bytes[start..].split_at_mut(4 * SIZE * SIZE);
        let element = |n: usize| <[u8; 4]>::try_from(&first[4 * n..4 * n + 4]).unwrap();
        for n in 0..SIZE * SIZE {
            let value = match how {
                "copied" => element(n),
                "transposed" => element(n % SIZE * SIZE + n / SIZE),
                "negated" => (-f32::from_le_bytes(element(n))).to_le_bytes(),
                _ if n < 200 => element(400 + n),
                _ => continue,
            };
            second[4 * n..4 * n + 4].copy_from_slice(&value);
        }
        folder.write("w.safetensors", &bytes);
        let message = verify(&folder, "w.safetensors --distribution", 1);
        assert!(message.contains(said), "{how}: {message}");
    }
}

#[test]
fn the_report_has_each_test_with_its_statistic_its_probability_and_words() {
    let folder = Folder::new();
    folder.done(&format!("init {N} 100x100 -q -o w.npy"));
    let mut values = read(&folder, "w.npy");
    values[77] = 9.0;
    write(&folder, "w.npy", &values);
    let report: serde_json::Value =
        serde_json::from_str(&verify(&folder, &format!("w.npy --distribution --scheme {N} --json"), 1)).unwrap();
    let tests = report["tensors"][0]["tests"].as_array().unwrap();
    let largest = tests.iter().find(|test| test["test"] == "largest value").unwrap();
    // 2 (1 - (1 - Q(9))^10000), Q by SciPy.
    let (probability, expected) = (largest["p_value"].as_f64().unwrap(), 2.257_176_811_907_683e-15);
    assert!((probability / expected - 1.0).abs() < 1e-5 && largest["statistic"] == 9.0, "{largest}");
    assert!(largest["finding"].as_str().unwrap().contains("[0, 77]"));
    assert!(report["tests"] == tests.len() && tests.len() > 30);
}

#[test]
fn reports_are_the_same_for_any_number_of_threads() {
    let folder = Folder::new();
    folder.done(&format!("init {N} 700x900 -q -o w.npy"));
    let one = verify(&folder, &format!("w.npy --distribution --scheme {N} --json --threads 1"), 0);
    for threads in [2, 3, 8] {
        assert_eq!(one, verify(&folder, &format!("w.npy --distribution --scheme {N} --json --threads {threads}"), 0));
    }
}

#[test]
fn honest_values_of_few_numbers_fit() {
    let folder = Folder::new();
    for line in ["normal:std=1e-7 64x64", "normal:std=3e-8 400", "uniform:low=0,high=1e-6 64x64"] {
        folder.done(&format!("init {line} --dtype f16 -q --force -o w.safetensors"));
        verify(&folder, "w.safetensors --distribution", 0);
    }
}
