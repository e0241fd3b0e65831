namespace KawaOrleans;

/// <summary>The node that holds the segment is not alive. The call had no effect.</summary>
[GenerateSerializer, Alias("kawa.error.node-unavailable")]
public sealed class NodeUnavailableException : KawaException
{
    /// <summary>Creates the exception.</summary>
    public NodeUnavailableException(string node, string? detail = null)
        : base($"Node '{node}' is not available{(detail is null ? null : $" ({detail})")}. Retry when its silo is back.") => Node = node;

    /// <summary>The node asked for.</summary>
    [Id(0)]
    public string Node { get; }

    /// <inheritdoc/>
    public override bool IsRetryable => true;
}
