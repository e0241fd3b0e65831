namespace KawaOrleans.Server.Protocol;

/// <summary>What an operator types when a node is lost. Messages end with it.</summary>
internal static class OperatorCommand
{
    /// <summary>Gives up the data directory that the node had.</summary>
    public static string ReplaceNode(string node) =>
        $"kawa replace-node {node} (IEventStoreGrain.ReplaceNode)";
}
