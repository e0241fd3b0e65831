namespace KawaOrleans.Server.Protocol;

/// <summary>What nodes say of themselves, each asked once, as soon as it is known that its answer will be needed.</summary>
internal sealed class NodeReports(INodes nodes, CancellationToken cancellation)
{
    private readonly Dictionary<string, Task<NodeAnswer<NodeReport>>> _asked = new(StringComparer.Ordinal);

    /// <summary>Asks these nodes, beside whatever else is waited for.</summary>
    public void Ask(IEnumerable<ChainNode> of)
    {
        foreach (var node in of)
        {
            _ = Of(node.Name);
        }
    }

    /// <summary>A node's answer.</summary>
    public Task<NodeAnswer<NodeReport>> Of(string node)
    {
        if (!_asked.TryGetValue(node, out var answer))
        {
            _asked.Add(node, answer = nodes.Report(node, cancellation));
        }

        return answer;
    }
}
