namespace KawaOrleans.Client;

/// <summary>A callee gave no sign of life for as long as it was waited for.</summary>
internal sealed class SilenceException(string callee, TimeSpan lasted)
    : TimeoutException($"{callee} gave no sign of life for {lasted.TotalSeconds:0.0} s")
{
    /// <summary>How long.</summary>
    public TimeSpan Lasted => lasted;
}
