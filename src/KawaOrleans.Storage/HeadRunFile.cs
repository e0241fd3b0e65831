namespace KawaOrleans.Storage;

/// <summary>A file that holds the last event of every stream in a range of a log, to be copied to another node.</summary>
/// <param name="From">The first position of the range.</param>
/// <param name="To">The position behind its last.</param>
/// <param name="Bytes">How large it is.</param>
public readonly record struct HeadRunFile(long From, long To, long Bytes);
