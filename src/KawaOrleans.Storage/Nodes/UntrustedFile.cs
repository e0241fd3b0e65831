namespace KawaOrleans.Storage;

/// <summary>A file that is not trusted.</summary>
/// <param name="Path">The file.</param>
/// <param name="SegmentId">The segment its name says it holds, if it does.</param>
/// <param name="LogId">The log its folder says it belongs to, if it does.</param>
/// <param name="Problem">What is wrong: damaged, unreadable, or not ours.</param>
/// <param name="IsUnreadable">True when the medium failed, so that nothing is known.</param>
public sealed record UntrustedFile(string Path, Guid? SegmentId, Guid? LogId, string Problem, bool IsUnreadable);
