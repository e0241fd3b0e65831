namespace KawaOrleans;

/// <summary>These events cannot form a batch. Nothing was sent or written; the message names the event and the limit.</summary>
public sealed class BatchRefusedException(string message) : ArgumentException(message);
