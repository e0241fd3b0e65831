namespace KawaOrleans.Server.Protocol;

/// <summary>Whether a node may write a segment: only its primary, and only while the newest chain kept there lists it as open. A writer that
/// began before its segment was in the chain would acknowledge what no chain ever holds.</summary>
internal static class WriterRule
{
    /// <summary>Why this node does not write the segment under this chain, or null.</summary>
    public static string? WhyNot(Chain chain, Guid segmentId, string node) => chain.Segments.FirstOrDefault(segment => segment.Id == segmentId) switch
    {
        null => $"version {chain.Version} of the chain of log '{chain.LogName}' does not list segment {segmentId:N}",
        { IsOpen: false } ended => $"version {chain.Version} of the chain of log '{chain.LogName}' ends segment {segmentId:N} at {ended.End}",
        var listed when listed.Primary != node => $"segment {segmentId:N} is written by '{listed.Primary}', not by '{node}'",
        _ => null,
    };
}
