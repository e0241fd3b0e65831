namespace KawaOrleans.Format;

/// <summary>A run of consecutive frames of one segment: <paramref name="Length"/> bytes that lie at <paramref name="Offset"/> of its file.</summary>
public readonly record struct FrameRun(long Offset, int Length);
