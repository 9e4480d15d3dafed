import { Component, ComponentChildren, createContext, h, render, VNode } from "preact";

export * from "preact/hooks";
export { Component, createContext, h, render };
export declare const html: (strings: TemplateStringsArray, ...values: any[]) => VNode;
export type { ComponentChildren };
