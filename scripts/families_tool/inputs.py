"""Random inputs for a forward pass of a model, by the names that it takes."""

import inspect

import torch

from . import library, proposals

OTHERS = {"pixel_values", "input_values", "input_features"}  # what a model may read next to text
PROMPT = 7  # tokens of a text
FRAMES = 4  # steps of a model of states and actions


def of(model):
    """Choices of inputs, the likeliest first. A model that reads text and something else gets both."""
    known = inspect.signature(model.forward).parameters
    main = model.main_input_name
    parts = {"input_ids": ids(model), **image(model, known), **sound(model, known), **steps(model), **series(model), **queries(model)}
    full = {name: value for name, value in with_image_tokens(model, parts).items() if name in known}
    start = {"decoder_input_ids": ids(model, 3)} if "decoder_input_ids" in known and model.config.is_encoder_decoder else {}
    choices = [full] if "input_ids" in full and full.keys() & OTHERS else [{main: full[main]}, full] if main in full else [full]
    for chosen in choices:
        yield {**chosen, **start}
        if start:
            yield chosen


def small(config):
    """Values for keys whose defaults do not fit a small model, each with its path."""
    text = config.get_text_config()
    for path, value in proposals.leaves(library.saved(config)):
        if path[-1].endswith(("_token_id", "_token_index")) and (size := getattr(text, "vocab_size", None)):
            of_image = path[-1].startswith("image")
            if isinstance(value, int) and value >= size or value is None and of_image:
                yield path, size - 1 if of_image else size - 2
    if "mrope_section" in getattr(text, "ignore_keys_at_rope_validation", ()):
        half = (getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads) // 2
        place = () if text is config else ("text_config",)
        yield (*place, "rope_parameters", "mrope_section"), [half - 2 * (half // 3), half // 3, half // 3]


def part(config, *keys):
    """The first of some parts of a configuration, or all of it."""
    return next((found for key in keys if (found := getattr(config, key, None))), config)


def first(config, *keys, default):
    """The first value that is set."""
    return next((value for key in keys if (value := getattr(config, key, None))), default)


# --- text -----------------------------------------------------------------------------------------------------------------------


def ids(model, length=PROMPT):
    size = min(first(config, "vocab_size", default=50) for config in (model.config, model.config.get_text_config()))
    return torch.randint(3, max(4, min(size - 1, 30)), (1, length))


def with_image_tokens(model, parts):
    """The inputs with a token in the text for each of the features of an image."""
    token = getattr(model.config, "image_token_id", None)
    if token is None or not hasattr(model, "get_image_features"):
        return parts
    takes = inspect.signature(model.get_image_features).parameters
    with torch.no_grad():
        features = model.get_image_features(**{name: value for name, value in parts.items() if name in takes}).pooler_output
    features = [features] if isinstance(features, torch.Tensor) else features
    count = sum(feature.numel() // feature.shape[-1] for feature in features)
    text = torch.cat([parts["input_ids"][:, :1], torch.full((1, count), token), parts["input_ids"][:, 1:]], dim=1)
    kinds = (text == token).long()
    return {**parts, "input_ids": text, "mm_token_type_ids": kinds, "token_type_ids": kinds}


def queries(model):
    """The inputs of a model that reads images by queries."""
    if not hasattr(model.config, "cross_attention_frequency"):
        return {}
    states = torch.randn(1, 5, model.config.encoder_hidden_size)
    return {"query_embeds": torch.randn(1, 3, model.config.hidden_size), "encoder_hidden_states": states}


# --- images ---------------------------------------------------------------------------------------------------------------------


def image(model, known):
    """The pixels of an image, and what tells their places."""
    config = part(model.config, "vision_config", "encoder", "backbone_config")
    channels = first(config, "num_channels", "in_channels", "in_chans", default=3)
    size = first(config, "image_size", default=64)
    height, width = size if isinstance(size, (list, tuple)) else (size, size)
    if "image_grid_thw" in known or "grid_thw" in known:
        grid = [1, 2 * config.spatial_merge_size, 2 * config.spatial_merge_size]
        pixels = torch.randn(grid[1] * grid[2], channels * config.temporal_patch_size * config.patch_size**2)
        grid = torch.tensor([grid])
        return {"pixel_values": pixels, "image_grid_thw": grid} if "image_grid_thw" in known else {"hidden_states": pixels, "grid_thw": grid}
    if "pixel_position_ids" in known:
        side = 2 * config.pooling_kernel_size
        places = torch.cartesian_prod(torch.arange(side), torch.arange(side))[None]
        return {"pixel_values": torch.rand(1, side**2, channels * config.patch_size**2), "pixel_position_ids": places}
    if "spatial_shapes" in known:
        pixels = torch.randn(1, 6, channels * config.patch_size**2)
        return {"pixel_values": pixels, "spatial_shapes": torch.tensor([[2, 3]]), "pixel_attention_mask": torch.ones(1, 6)}
    if "aspect_ratio_ids" in known:
        tiles = config.max_num_tiles
        shape = {"aspect_ratio_ids": torch.ones(1, 1, dtype=torch.long), "aspect_ratio_mask": torch.ones(1, 1, tiles, dtype=torch.long)}
        mask = torch.ones(1, PROMPT, 1, tiles, dtype=torch.long)
        return {"pixel_values": torch.randn(1, 1, tiles, channels, height, width), **shape, "cross_attention_mask": mask}
    axes = []
    if hasattr(model.config, "image_grid_pinpoints"):
        model.config.image_grid_pinpoints = [[height, width]]
        axes = [2]  # the whole image, and its only patch
    elif hasattr(model.config, "num_frames"):
        axes = [model.config.num_frames]
    elif "pixel_attention_mask" in known and "input_ids" in known:
        axes = [1]  # images
    return {"pixel_values": torch.randn(1, *axes, channels, height, width), "image_sizes": torch.tensor([[height, width]])}


# --- sounds and others ----------------------------------------------------------------------------------------------------------


def sound(model, known):
    """Samples and spectra."""
    config = part(model.config, "audio_config")
    channels = [config.audio_channels] if hasattr(config, "audio_channels") else []
    samples = torch.randn(1, *channels, 4000)
    if hasattr(config, "time_stride"):
        samples = torch.randn(1, config.max_length, config.num_mel_bins)
    bins = first(config, "num_mel_bins", "feature_size", "input_feat_per_channel", default=80)
    spectrum = torch.randn(1, bins, 2 * first(config, "max_source_positions", default=50))
    if hasattr(config, "subsampling_conv_channels"):
        spectrum = torch.randn(1, 50, config.subsampling_conv_channels[0])
    if hasattr(config, "spec_size"):
        spectrum = torch.randn(1, 4 if config.enable_fusion else 1, config.spec_size**2 // bins, bins)
    return {"input_values": samples, "input_features": spectrum, "is_longer": torch.ones(1, 1, dtype=torch.bool)}


def steps(model):
    """The inputs of a model of states and actions."""
    if not hasattr(model.config, "state_dim"):
        return {}
    states, actions = torch.randn(1, FRAMES, model.config.state_dim), torch.randn(1, FRAMES, model.config.act_dim)
    return {"states": states, "actions": actions, "returns_to_go": torch.randn(1, FRAMES, 1), "timesteps": torch.arange(FRAMES)[None]}


def series(model):
    """The inputs of a model of values in time, without features beside them."""
    if not hasattr(model.config, "lags_sequence"):
        return {}
    past, future = model.config.context_length + max(model.config.lags_sequence), model.config.prediction_length
    known = {"past_values": torch.randn(1, past), "past_time_features": torch.randn(1, past, 0), "past_observed_mask": torch.ones(1, past)}
    return {**known, "future_values": torch.randn(1, future), "future_time_features": torch.randn(1, future, 0)}
