namespace KawaOrleans.Server.Protocol;

/// <summary>What an operator types to have a lost chain written anew. Messages end with it.</summary>
internal static class RebuildCommand
{
    /// <summary>Given up in the place of a node's name: every node that does not answer.</summary>
    public const string EveryMissingNode = "*";

    /// <summary>For one log.</summary>
    public static string For(string logName, string giveUp = "[--give-up NODE]") =>
        $"kawa rebuild --log {logName} {giveUp} (ISegmentDirectoryGrain.Rebuild)";

    /// <summary>For the catalogue and every log.</summary>
    public const string ForAll = "kawa rebuild [--give-up NODE] (IEventStoreGrain.Rebuild)";
}
