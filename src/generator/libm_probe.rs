//! A probe of this machine's libm: does it round as glibc on Linux with fused multiply-add?
//!
//! Frameworks use the platform's logarithms and sines, and so does fanin to reproduce them. Another library, or a CPU without fused
//! multiply-add, rounds one result in hundreds or thousands differently. The arguments below detect it: on them glibc without fused
//! multiply-add, or musl's algorithms, give another last bit.

/// A libm function in single or double precision.
#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    Ln,
    Ln1p,
    Exp,
    Sin,
    Cos,
    Tan,
    SingleLn,
    SingleLn1p,
    SingleSin,
    SingleCos,
    SingleTan,
}

/// The functions of Box-Muller normals in double precision.
pub(super) const LOGARITHMS_AND_SINES: &[Function] = &[Function::Ln, Function::Ln1p, Function::Sin, Function::Cos];

impl Function {
    /// True if every probe has the bits of glibc 2.36 on x86-64 with fused multiply-add.
    pub(super) fn rounds_as_glibc(self) -> bool {
        match self {
            Self::Ln => doubles(
                f64::ln,
                &[
                    (0x3fe8_2ef9_d8fe_db6d, 0xbfd1_ec97_1d97_0428),
                    (0x3fe6_6524_2d3f_afe7, 0xbfd6_d75b_e209_eceb),
                    (0x3fdb_bc52_667e_0452, 0xbfea_c1dd_6088_9315),
                    (0x3fde_d66e_bcad_84fa, 0xbfe7_5d5e_3d77_a803),
                ],
            ),
            Self::Ln1p => doubles(
                f64::ln_1p,
                &[
                    (0xbfd2_d551_d3f1_4342, 0xbfd6_4e31_83cf_ff43),
                    (0xbfd4_2603_160c_21fc, 0xbfd8_325c_7a46_501c),
                    (0xbfd4_e71b_ef55_0b8c, 0xbfd9_4ea1_f6e5_1983),
                    (0xbfcb_7b8d_ca45_ddbc, 0xbfce_f004_5be1_76d0),
                ],
            ),
            Self::Exp => doubles(
                f64::exp,
                &[
                    (0xc018_4513_83dc_4370, 0x3f62_fb38_b966_df89),
                    (0xc014_a088_b2c3_e552, 0x3f77_9813_e190_a9b9),
                    (0xc014_cd52_94a9_9da7, 0x3f76_9595_f4dc_0221),
                    (0xc016_dbf9_543a_2ff6, 0x3f6b_01c8_e64d_3e0d),
                ],
            ),
            Self::Sin => doubles(
                f64::sin,
                &[
                    (0x4018_98b9_3672_12b0, 0xbfc1_1b1f_aa0e_2110),
                    (0x4018_7d9a_17bb_64ec, 0xbfc4_7597_994b_7c02),
                    (0x3ff0_4b18_960c_7eb0, 0x3feb_3d50_fded_3e1b),
                    (0x4003_5fc3_c72c_b788, 0x3fe5_18a5_cdaa_7dc1),
                ],
            ),
            Self::Cos => doubles(
                f64::cos,
                &[
                    (0x4012_076d_8301_5797, 0xbfca_12d4_3620_98eb),
                    (0x4013_67d1_8a88_1aaa, 0x3fc1_bbfa_9313_911d),
                    (0x3ff4_4694_ff9e_e7f3, 0x3fd3_2190_1413_cb98),
                    (0x4003_e5d4_efc3_077d, 0xbfe9_63ca_695b_9feb),
                ],
            ),
            Self::Tan => doubles(
                f64::tan,
                &[
                    (0xbfa6_c8b2_640f_25c0, 0xbfa6_cc8c_c962_3005),
                    (0x3fae_82c8_8a87_17a0, 0x3fae_8c0a_d2ab_9c49),
                    (0xbf9e_e3e4_0bd2_41c0, 0xbf9e_e64a_580f_e1bf),
                    (0xbfae_ced5_9bdd_81c0, 0xbfae_d85d_def1_e471),
                ],
            ),
            Self::SingleLn => singles(f32::ln, &[(0x3e11_264e, 0xbffa_130f), (0x3e99_77e5, 0xbf9a_37e1)]),
            Self::SingleLn1p => singles(f32::ln_1p, &[(0xbebe_1df0, 0xbeed_a347), (0xbf2e_d0b7, 0xbf93_006d)]),
            Self::SingleSin => singles(f32::sin, &[(0x406b_84b3, 0xbf03_4367), (0x40c0_f1f4, 0xbe80_7b0f)]),
            Self::SingleCos => singles(f32::cos, &[(0x40af_448f, 0x3f31_3d57), (0x408d_a583, 0xbe90_6974)]),
            // Here glibc 2.36 is not at the nearest single, as other libraries are.
            Self::SingleTan => singles(f32::tan, &[(0xbf55_bda5, 0xbf8d_59dc), (0x3f8a_a09d, 0x3ff1_4504)]),
        }
    }

    /// The name with its precision.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ln => "log",
            Self::Ln1p => "log1p",
            Self::Exp => "exp",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tan => "tan",
            Self::SingleLn => "logf",
            Self::SingleLn1p => "log1pf",
            Self::SingleSin => "sinf",
            Self::SingleCos => "cosf",
            Self::SingleTan => "tanf",
        }
    }
}

/// The bits of arguments and of results.
fn doubles(function: fn(f64) -> f64, probes: &[(u64, u64)]) -> bool {
    let probe = |&(argument, result)| std::hint::black_box(function)(f64::from_bits(argument)).to_bits() == result;
    probes.iter().all(probe)
}

fn singles(function: fn(f32) -> f32, probes: &[(u32, u32)]) -> bool {
    let probe = |&(argument, result)| std::hint::black_box(function)(f32::from_bits(argument)).to_bits() == result;
    probes.iter().all(probe)
}
